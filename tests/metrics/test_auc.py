"""The area under the ROC curve against loops over pairs of images, and torchmetrics."""

import math

import pytest
import torch
from torchmetrics.functional.classification import multiclass_auroc

from lt_lightning.errors import UserError
from lt_lightning.metrics import OneVsRestAUC
from lt_lightning.metrics.auc import one_vs_rest


def oracle(scores, targets):
    """Every pair of an image of the class and one of another."""
    rows, labels, found = scores.tolist(), targets.tolist(), []
    for c in range(scores.shape[1]):
        won = [
            (a[c] > b[c]) + (a[c] == b[c]) / 2
            for a, y in zip(rows, labels, strict=True)
            for b, z in zip(rows, labels, strict=True)
            if y == c and z != c
        ]
        found.append(sum(won) / len(won) if won else math.nan)
    return found


def batch(classes, n=60, decimals=1):
    g = torch.Generator().manual_seed(classes)
    logits = (3 * torch.randn(n, classes, generator=g)).round(decimals=decimals)
    return logits, torch.randint(0, classes, (n,), generator=g)


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_against_pairs_of_images(classes):
    logits, targets = batch(classes, decimals=0)  # many equal ones
    targets[targets == 3] = 2  # no image of class 3
    found = one_vs_rest(logits, targets)
    assert found.tolist() == pytest.approx(oracle(logits, targets), nan_ok=True)
    assert found[[3] if classes > 3 else []].isnan().all()


def test_the_metric_is_that_of_torchmetrics_and_has_no_order():
    logits, targets = batch(5)
    metric = OneVsRestAUC(5)
    for place in (slice(0, 7), slice(7, 60)):
        metric.update(logits[place], targets[place])
    theirs = multiclass_auroc(logits.double().softmax(1), targets, 5, average=None)
    assert metric.compute().tolist() == pytest.approx(theirs.tolist(), abs=1e-6)
    turned = OneVsRestAUC(5)
    turned.update(logits.flip(0), targets.flip(0))
    assert torch.equal(turned.compute(), metric.compute())


def test_probabilities_that_round_to_1_are_told_apart():
    logits = torch.tensor([[30.0, 0.0], [50.0, 0.0], [60.0, 0.0]])
    metric = OneVsRestAUC(2)
    metric.update(logits, torch.tensor([1, 0, 0]))
    assert metric.compute().tolist() == [1.0, 1.0]


def test_what_is_not_finite_ranks_last_and_no_image_gives_no_number():
    metric = OneVsRestAUC(2)
    assert metric.compute().isnan().all()
    metric.update(torch.tensor([[math.nan, 0.0], [0.0, 5.0]]), torch.tensor([0, 1]))
    assert metric.compute().tolist() == [0.0, 1.0]


def test_probabilities_are_refused():
    """Trap: their softmax ranks the images of a class otherwise, and no word was said."""
    logits, targets = batch(5)
    with pytest.raises(UserError, match="before softmax"):
        OneVsRestAUC(5).update(logits.softmax(1), targets)
