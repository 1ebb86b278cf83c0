"""Balanced group softmax: groups, the part of the "others", the merged scores."""

import itertools
import math

import pytest
import torch

from lt_lightning.losses import (
    BalancedGroupSoftmax,
    CrossEntropy,
    balanced_group_softmax_loss,
    class_groups,
)

COUNTS = torch.tensor([500, 9, 37, 120, 1, 60])
GROUPS = [2, 0, 1, 2, 0, 1]  # of the boundaries 10, 100, 1000


def batch(n=24, width=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, width, generator=generator, dtype=torch.float64)
    return logits, torch.randint(6, (n,), generator=generator)


def group_nll(row, group, target):
    """-log softmax within one group; the label is the target's place or "others"."""
    members = [row[c] for c in range(6) if GROUPS[c] == group]
    others = row[6 + group]
    label = row[target] if GROUPS[target] == group else others
    return -label + math.log(math.fsum(math.exp(v) for v in [*members, others]))


def slow_loss(logits, targets, ratio):
    total, rows = 0.0, list(zip(logits.tolist(), targets.tolist(), strict=True))
    for group in range(3):
        inside = [r for r in rows if GROUPS[r[1]] == group]
        outside = [r for r in rows if GROUPS[r[1]] != group]
        if not inside:
            continue
        keep = min(len(outside), ratio * len(inside)) / max(len(outside), 1)
        weights = [1.0] * len(inside) + [keep] * len(outside)
        values = [group_nll(row, group, y) for row, y in inside + outside]
        kept = sum(w * v for w, v in zip(weights, values, strict=True))
        total += kept / max(sum(weights), 1.0)
    return total


@pytest.mark.parametrize("ratio", [0.0, 0.5, 2.0, 8.0])
@pytest.mark.parametrize("n", [1, 2, 5, 24])
def test_loss_is_the_sum_over_groups_of_the_equation(n, ratio):
    logits, targets = batch(n, seed=n)
    loss = BalancedGroupSoftmax(COUNTS, others_ratio=ratio).double()
    assert loss(logits, targets).item() == pytest.approx(slow_loss(logits, targets, ratio))


def test_loss_is_the_mean_over_all_draws_of_others():
    """The authors draw others at random; the weight below 1 is the mean over all their draws."""
    logits, _ = batch(7)
    targets = torch.tensor([1, 0, 2, 0, 3, 5, 2])  # one of group 0, three each of 1 and 2
    rows = list(zip(logits.tolist(), targets.tolist(), strict=True))
    total = 0.0
    for group in range(3):
        inside = [group_nll(row, group, y) for row, y in rows if GROUPS[y] == group]
        outside = [group_nll(row, group, y) for row, y in rows if GROUPS[y] != group]
        kept = min(2 * len(inside), len(outside))
        draws = [
            (sum(inside) + sum(draw)) / (len(inside) + kept)
            for draw in itertools.combinations(outside, kept)
        ]
        total += sum(draws) / len(draws)
    loss = BalancedGroupSoftmax(COUNTS, others_ratio=2.0).double()
    assert loss(logits, targets).item() == pytest.approx(total)


def test_group_without_an_image_in_the_batch_gets_no_gradient():
    logits, _ = batch(4)
    targets = torch.tensor([0, 2, 3, 5])  # nothing of group 0
    loss = BalancedGroupSoftmax(COUNTS).double()
    logits.requires_grad_()
    (slope,) = torch.autograd.grad(loss(logits, targets), logits)
    assert (slope[:, [1, 4, 6]] == 0).all()
    assert (slope[:, [0, 2, 3, 5, 7, 8]] != 0).all()


def test_single_group_is_cross_entropy_without_more_outputs():
    loss = BalancedGroupSoftmax(torch.tensor([70, 20, 30, 40, 50, 60]))
    logits, targets = batch(width=6)
    assert loss.num_outputs == 6
    expected = CrossEntropy(COUNTS)(logits, targets)
    torch.testing.assert_close(loss(logits, targets), expected)
    assert torch.equal(loss.predict_logits(logits), logits)


@pytest.mark.parametrize(
    ("classes", "ratio", "sizes"),
    [
        (10, 100, [2, 4, 4]),
        (10, 50, [6, 4]),
        (10, 10, [3, 7]),
        (100, 100, [15, 50, 35]),
        (100, 50, [59, 41]),
        (100, 10, [30, 70]),
    ],
)
def test_sizes_of_the_groups_on_cifar(cifar_counts, classes, ratio, sizes):
    counts = cifar_counts(classes, ratio)
    loss = BalancedGroupSoftmax(counts)
    assert torch.bincount(loss.groups).tolist() == sizes
    assert loss.num_outputs == classes + len(sizes)


def test_boundary_belongs_to_the_group_above_and_empty_groups_are_dropped():
    counts = torch.tensor([9, 10, 99, 100, 999, 1000])
    assert class_groups(counts, (10, 100, 1000)).tolist() == [0, 1, 1, 2, 2, 3]
    assert class_groups(counts, (5, 500, 600, 700)).tolist() == [0, 0, 0, 0, 1, 1]


def test_scores_are_the_probabilities_within_each_group():
    logits, _ = batch(5)
    loss = BalancedGroupSoftmax(COUNTS).double()
    got = loss.predict_logits(logits).exp()
    for row, scores in zip(logits.tolist(), got.tolist(), strict=True):
        for c in range(6):
            assert scores[c] == pytest.approx(math.exp(-group_nll(row, GROUPS[c], c)))
        for group in range(3):
            others = math.exp(-group_nll(row, group, GROUPS.index((group + 1) % 3)))
            inside = sum(scores[c] for c in range(6) if GROUPS[c] == group)
            assert inside + others == pytest.approx(1.0)


def test_scores_are_wide_for_half_logits():
    logits, _ = batch(5)
    loss = BalancedGroupSoftmax(COUNTS)
    got = loss.predict_logits(logits.half())
    assert got.dtype == torch.float32
    assert torch.equal(got, loss.predict_logits(logits.half().float()))


def test_values_of_images_average_to_the_loss():
    logits, targets = batch()
    values = balanced_group_softmax_loss(logits, targets, torch.tensor(GROUPS))
    assert values.mean().item() == pytest.approx(slow_loss(logits, targets, 8.0))
