"""Class weights, the two reductions and the share of a label in a mix, for every loss."""

import pytest
import torch

from lt_lightning.losses import (
    CrossEntropy,
    EffectiveNumber,
    InfluenceBalanced,
    InverseFrequency,
    SigmoidFocal,
)


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


def test_reduction_is_the_weighted_sum_over_weights_or_images(case, given):
    batch = case.batch()
    for reduction in ("weighted_mean", "mean"):
        loss = case.build(weights=given(), reduction=reduction)
        values = case.per_sample(loss, batch).tolist()
        weights = [given()(loss.class_counts).tolist()[y] for y in batch.targets.tolist()]
        divisor = sum(weights) if reduction == "weighted_mean" else len(batch)
        expected = sum(w * v for w, v in zip(weights, values, strict=True)) / divisor
        close(case.value(loss, batch).item(), expected)


def test_scale_of_the_weights_counts_under_mean_only(case, given):
    batch = case.batch()

    def value(factor, reduction):
        return case.value(case.build(weights=given(factor), reduction=reduction), batch)

    close(value(2.0, "weighted_mean"), value(1.0, "weighted_mean"))
    close(value(2.0, "mean"), 2 * value(1.0, "mean"))


def test_batch_of_classes_without_weight_gives_zero(case, given):
    batch = case.batch(3)
    batch.targets.fill_(5)
    loss = case.build(weights=given())
    logits = batch.logits.requires_grad_()
    value = case.value(loss, batch)
    (slope,) = torch.autograd.grad(value, logits)
    assert value.item() == 0.0
    assert (slope == 0).all()


def test_weights_never_change_the_value_of_an_image(case, given):
    batch = case.batch()
    close(
        case.per_sample(case.build(weights=given()), batch),
        case.per_sample(case.build(weights=None), batch),
    )


def test_whole_share_is_the_plain_loss_and_no_share_is_zero(case, given):
    loss, batch = case.build(weights=given()), case.batch()
    ones = torch.ones(len(batch))
    for share in (1, 1.0, torch.tensor(1.0), ones, ones.double()):
        close(case.value(loss, batch, share), case.value(loss, batch))
    assert float(case.value(loss, batch, 0.0)) == 0.0


def test_two_label_mix_is_the_sum_of_two_losses_with_their_own_weights(case, given):
    first, second = case.batch(), case.batch(seed=1)
    other = type(first)(first.logits, second.targets, first.features)
    share = torch.linspace(0, 1, len(first))
    for reduction in ("weighted_mean", "mean"):
        loss = case.build(weights=given(), reduction=reduction)
        expected = 0.0
        for part, batch in ((share, first), (1 - share, other)):
            weights = given()(loss.class_counts)[batch.targets].float()
            divisor = weights.sum() if reduction == "weighted_mean" else len(batch)
            expected += (part * weights * case.per_sample(loss, batch)).sum() / divisor
        close(case.value(loss, first, share) + case.value(loss, other, 1 - share), expected)


def test_set_weights_changes_the_buffer_in_place(case, counts):
    loss, batch = case.build(weights=None), case.batch()
    buffer, plain = loss.weight, case.value(loss, batch)
    loss.set_weights(EffectiveNumber(beta=0.99))
    assert loss.weight is buffer
    close(
        case.value(loss, batch), case.value(case.build(weights=EffectiveNumber(beta=0.99)), batch)
    )
    assert not torch.isclose(case.value(loss, batch), plain)
    loss.set_weights(None)
    assert torch.equal(case.value(loss, batch), plain)


LOG2 = 0.6931471805599453


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("weighted_mean", (0.25 * LOG2 + 1.0 * 1.3132616875182228) / 1.25),
        ("mean", (0.25 * LOG2 + 1.0 * 1.3132616875182228) / 2),
    ],
)
def test_weighted_cross_entropy_by_hand(reduction, expected):
    # counts 4, 1 -> weights 1/4, 1; losses log 2 and log(1 + e)
    loss = CrossEntropy(torch.tensor([4, 1]), weights=InverseFrequency(), reduction=reduction)
    got = loss(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    assert got.item() == pytest.approx(expected)


def test_mix_by_hand_with_weights_and_a_share_per_image():
    # counts 4, 1 -> weights 1/4, 1. Losses at (0, 0): log 2 for both labels.
    loss = CrossEntropy(torch.tensor([4, 1]), weights=InverseFrequency())
    logits, share = torch.zeros(2, 2), torch.tensor([0.5, 1.0])
    first = loss(logits, torch.tensor([0, 1]), share)
    second = loss(logits, torch.tensor([1, 1]), 1 - share)
    assert first.item() == pytest.approx(LOG2 * (0.25 * 0.5 + 1.0 * 1.0) / 1.25)
    assert second.item() == pytest.approx(LOG2 * (1.0 * 0.5 + 1.0 * 0.0) / 2.0)


def test_weighted_mean_is_the_one_of_pytorch(counts):
    case_weights = InverseFrequency()(counts).float()
    logits = torch.randn(9, 6, generator=torch.Generator().manual_seed(2))
    targets = torch.tensor([0, 1, 2, 3, 4, 5, 0, 0, 3])
    expected = torch.nn.functional.cross_entropy(logits, targets, weight=case_weights)
    close(CrossEntropy(counts, weights=InverseFrequency())(logits, targets), expected)


def test_only_losses_published_with_division_by_the_images_divide_by_them(loss_class, counts):
    published_so = loss_class in (InfluenceBalanced, SigmoidFocal)
    assert loss_class(counts).reduction == ("mean" if published_so else "weighted_mean")
