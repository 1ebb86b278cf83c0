"""The measures behind a paragraph of results/README.md."""

import pytest
import torch

from results.features import logistic_regression, macro


def test_macro_is_the_mean_over_classes() -> None:
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    found = macro(torch.nn.Identity(), logits, torch.tensor([0, 0, 0, 1]))
    assert found == pytest.approx(100 * (2 / 3 + 0) / 2)


def test_classes_weigh_alike() -> None:
    # Both classes lie at one place, so only their weights could decide.
    features = torch.zeros(110, 1)
    labels = torch.tensor([0] * 100 + [1] * 10)
    logits = logistic_regression(features, labels)(features[:1])
    assert logits[0, 0].item() == pytest.approx(logits[0, 1].item(), abs=1e-4)


def test_a_line_between_two_classes_is_found() -> None:
    features = torch.tensor([[-3.0], [-2.0], [-2.5], [4.0]])
    labels = torch.tensor([0, 0, 0, 1])
    classifier = logistic_regression(features, labels)
    assert macro(classifier, features, labels) == 100.0
