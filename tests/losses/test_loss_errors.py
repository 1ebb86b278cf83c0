"""Bad input is refused in one sentence with the value and the remedy."""

import inspect
import math
import typing

import numpy as np
import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.losses import (
    CrossEntropy,
    DeltaRule,
    InfluenceBalanced,
    LabelAwareSmoothing,
    Loss,
    WeightRule,
    check_class_counts,
)


def refused(words):
    return pytest.raises(UserError, match=words)


def test_bad_batches_are_refused(case):
    batch, width = case.batch(), case.build().num_outputs
    logits, targets, n = batch.logits, batch.targets, len(batch)
    outside, negative = targets.clone(), targets.clone()
    outside[3], negative[3] = 6, -1
    no_number, infinite = logits.clone(), logits.clone()
    no_number[2, 1], infinite[2, 1] = math.nan, -math.inf
    bad = [
        (logits[:, :-1], targets, rf"shape \({n}, {width - 1}\) but the loss was built for 6"),
        (logits[0], targets, r"give logits of the shape"),
        (logits, targets[:-1], r"targets have the shape \(16,\)"),
        (logits, targets[:, None], r"one class index per image"),
        (logits, targets.float(), "torch.float32"),
        (logits, targets.int(), "torch.int32"),
        (logits, outside, "to 6 but there are 6 classes: number the classes from 0 to 5"),
        (logits, negative, "run from -1 to"),
        (no_number, targets, "are NaN or infinite"),
        (infinite, targets, "are NaN or infinite"),
        (logits.softmax(1), targets, "before softmax"),
        (logits.tolist(), targets, "logits is a list: give a tensor"),
        (logits.detach().numpy(), targets, "logits is a ndarray: give a tensor"),
        (logits, targets.tolist(), "targets is a list: give a tensor"),
        (logits, targets.numpy(), "targets is a ndarray: give a tensor"),
    ]
    for z, y, words in bad:
        with refused(words):
            case.build()(z, y, features=batch.features)


def test_bad_shares_are_refused(case):
    loss, batch = case.build(), case.batch()
    for share, words in [
        (torch.ones(16), "share has the shape"),
        (torch.ones(17, 1), "share has the shape"),
        (1.5, r"share is 1.5: choose it in \[0, 1\]"),
        (-0.1, "share is -0.1"),
        (math.nan, "share is nan"),
        (np.float32(1.5), "share is 1.5"),
        ([0.5] * 17, r"share is a list: give one number in \[0, 1\], or a tensor"),
        (np.ones(17), "share is a ndarray"),
        ("0.5", "share is '0.5'"),
    ]:
        with refused(words):
            case.value(loss, batch, share)


def test_the_first_batch_alone_pays_for_the_look_at_its_values(monkeypatch, counts):
    loss, looks = CrossEntropy(counts), []
    monkeypatch.setattr("lt_lightning.losses.base.check_values", lambda *a: looks.append(a))
    for n in (0, 2, 2):
        loss(torch.zeros(n, 6), torch.zeros(n, dtype=torch.int64))
    assert [len(look[0]) for look in looks] == [2]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([5, 0, 3], r"below 1 for the classes \[1\]"),
        ([5, -2, 3], r"below 1 for the classes \[1\]"),
        ([5.0, 2.5], "whole numbers"),
        ([5.0, math.nan], "whole numbers"),
        ([5.0, math.inf], "whole numbers"),
        ([[5, 2]], r"shape \(1, 2\)"),
        (7, r"shape \(\)"),
        ([], r"shape \(0,\)"),
    ],
)
def test_bad_counts_are_refused(loss_class, counts, words):
    with refused(words):
        loss_class(torch.tensor(counts))


def test_counts_may_be_a_list_or_whole_floats():
    assert check_class_counts([3, 2]).tolist() == [3, 2]
    whole = check_class_counts(torch.tensor([3.0, 2.0]))
    assert whole.dtype == torch.int64
    assert whole.tolist() == [3, 2]


def test_unknown_reduction_is_refused(loss_class, counts):
    with refused("reduction is 'sum': choose one of weighted_mean, mean"):
        loss_class(counts, reduction="sum")


class Fixed(WeightRule):
    def __init__(self, values):
        self.values = values

    def __call__(self, class_counts):
        return torch.tensor(self.values)


@pytest.mark.parametrize(
    "values", [[1.0] * 5, [[1.0] * 6], [1.0] * 5 + [-1.0], [1.0] * 5 + [math.nan], [math.inf] * 6]
)
def test_bad_weights_are_refused(loss_class, counts, values):
    with refused("Fixed gave .* one finite weight of at least 0"):
        loss_class(counts, weights=Fixed(values))
    loss = loss_class(counts)
    with refused("Fixed gave .* one finite weight of at least 0"):
        loss.set_weights(Fixed(values))


def numbers_of(public):
    """The names of the arguments of a class that are one number."""
    hints = typing.get_type_hints(public.__init__)
    names = inspect.signature(public).parameters
    return [n for n in names if hints.get(n) in (float, float | None)]


def test_numbers_out_of_range_are_refused(public_classes, counts):
    seen = []
    for public in [c for base in (Loss, WeightRule, DeltaRule) for c in public_classes(base)]:
        required = (counts,) if issubclass(public, Loss) else ()
        for name in numbers_of(public):
            for value in (-0.5, math.nan, math.inf):
                with refused(f"{name} is {value}"):
                    public(*required, **{name: value})
            seen.append(f"{public.__name__}.{name}")
    assert "SoftmaxFocal.gamma" in seen
    assert "EffectiveNumber.beta" in seen
    assert "LabelAwareSmoothing.eps_tail" in seen
    assert "EqualizedDelta.gamma" in seen


def test_words_out_of_the_list_are_refused(counts):
    for settings in ({"form": "round"}, {"spread": "none"}):
        name, value = next(iter(settings.items()))
        with refused(f"{name} is '{value}': choose one of"):
            LabelAwareSmoothing(counts, **settings)


def test_tail_smoothing_above_the_head_or_alone_is_refused(counts):
    with refused(r"eps_tail is 0.3: choose it in \[0, 0.2\]"):
        LabelAwareSmoothing(counts, eps_head=0.2, eps_tail=0.3)
    with refused("eps_tail is 0.1 without eps_head"):
        LabelAwareSmoothing(counts, eps_tail=0.1)


@pytest.mark.parametrize(
    "features", [None, torch.ones(3, 4), torch.ones(2, 4, 1, 1), [[1.0], [2.0]]]
)
def test_influence_needs_the_features_of_each_image(counts, features):
    with refused("needs the features that enter the classifier"):
        InfluenceBalanced(counts)(torch.zeros(2, 6), torch.tensor([0, 1]), features=features)


def _giving(values):
    class Own(CrossEntropy):
        def per_sample(self, logits, targets):
            return values(super().per_sample(logits, targets))

    return Own([5, 3, 1])


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (lambda v: v.mean(), r"float32 \(\)"),
        (lambda v: v[:, None], r"float32 \(4, 1\)"),
        (lambda v: v[:3], r"float32 \(3,\)"),
        (lambda v: v.long(), r"int64 \(4,\)"),
        (lambda v: v.detach(), "values without a gradient"),
        (lambda v: None, "None"),
        (lambda v: v.tolist(), "a list"),
    ],
)
def test_values_that_are_not_one_per_image_are_refused(values, got):
    logits, targets = torch.randn(4, 3, requires_grad=True), torch.tensor([0, 1, 2, 0])
    with refused(rf"Own.per_sample gave {got} for 4 rows: return one float for each, \(4,\)"):
        _giving(values)(logits, targets)


def test_an_evaluation_needs_no_gradient():
    loss, targets = _giving(lambda v: v.detach()), torch.tensor([0, 1, 2, 0])
    assert loss(torch.randn(4, 3), targets).isfinite()
    with torch.no_grad():
        assert loss(torch.randn(4, 3, requires_grad=True), targets).isfinite()


@pytest.mark.parametrize("weights", [[1.0] * 6, torch.ones(6, dtype=torch.int64)])
def test_weights_of_another_type_are_refused(counts, weights):
    class Fixed(WeightRule):
        def __call__(self, class_counts):
            return weights

    with refused("Fixed gave .*: return float64"):
        CrossEntropy(counts, weights=Fixed())
