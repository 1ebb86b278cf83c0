"""Accuracy, hits and confusion come from one rule."""

import math

import pytest
import torch

from lt_lightning.metrics import ClassStats, ConfusionCounts, predicted_class
from lt_lightning.post_hoc import fit_tau

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0.0, 2.0, 1.0], 1),
        ([3.0, 3.0, 0.0], 0),
        ([0.0, INF, 1.0], -1),
        ([0.0, NAN, 1.0], -1),
        ([INF, INF, INF], -1),
        ([-INF, -INF, -INF], -1),
        ([-INF, 0.0, -1.0], 1),
        ([0.0, 0.0, 1e-30], 2),  # equal as probabilities
        ([-3e38, 3e38, 0.0], 1),
    ],
)
def test_all_metrics_count_the_same_class(row, expected):
    logits = torch.tensor([row])
    assert predicted_class(logits).tolist() == [expected]
    for target in range(3):
        stats, counts = ClassStats(3, groups={}), ConfusionCounts(3)
        stats.update(logits, torch.tensor([target]))
        counts.update(logits, torch.tensor([target]))
        hits = int(stats.per_class()["correct"].sum())
        assert hits == int(counts.compute().diagonal().sum()) == int(expected == target)
        assert int(counts.compute().sum()) == int(expected >= 0)


def test_half_precision_and_a_post_hoc_choice_follow_it_too():
    assert predicted_class(torch.tensor([[0.0, INF]]).half()).tolist() == [-1]
    assert predicted_class(torch.tensor([[0.0, 1.0]]).bfloat16()).tolist() == [1]
    # The second image is a miss for every tau, so the first one alone decides.
    logits, targets = torch.tensor([[1.0, 0.0], [2.0, 1.0]]), torch.tensor([1, 0])
    assert fit_tau(logits, targets, [3, 1], [0.0, 1.0]) in (0.0, 1.0)
