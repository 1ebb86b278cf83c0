"""What every public loss promises about values and gradients."""

import pytest
import torch
from torch import nn

from lt_lightning.losses import ALA, CrossEntropy, InfluenceBalanced, Loss


def close(actual, expected, rtol=1e-5, atol=1e-6):
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)


def replaced(batch, logits=None, targets=None):
    new = type(batch)
    return new(
        batch.logits if logits is None else logits,
        batch.targets if targets is None else targets,
        batch.features,
    )


def gradient(case, loss, batch):
    logits = batch.logits.clone().requires_grad_()
    value = case.value(loss, replaced(batch, logits))
    (slope,) = torch.autograd.grad(value, logits)
    return value.detach(), slope


def test_every_public_loss_has_a_row_in_the_table(settings, public_classes):
    assert set(settings) == set(public_classes(Loss))


def extremes(batch):
    """Logits of +-1e4: by chance, all for the target, all against it, and all equal."""
    signs = torch.where(batch.logits > 0, 1e4, -1e4)
    target = nn.functional.one_hot(batch.targets, batch.logits.shape[1]) * 2e4 - 1e4
    same = torch.ones_like(batch.logits)
    return [signs, target.float(), -target.float(), 1e4 * same, -1e4 * same, 0 * same]


def test_value_and_gradient_are_finite_on_extreme_logits(case):
    batch = case.batch()
    for logits in extremes(batch):
        value, slope = gradient(case, case.build(), replaced(batch, logits))
        assert value.isfinite()
        assert value >= 0
        assert slope.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_value_and_gradient_are_finite_on_extreme_logits_of_half_precision(case, dtype):
    batch = case.batch()
    for logits in extremes(batch):
        with torch.autocast("cpu", dtype=dtype):
            value, slope = gradient(case, case.build(), replaced(batch, logits.to(dtype)))
        assert (value.dtype, slope.dtype) == (torch.float32, dtype)
        assert value.isfinite()
        assert slope.isfinite().all()


def test_a_hopeless_image_still_pulls_its_target_up(case):
    batch = case.batch()
    _, slope = gradient(case, case.build(), replaced(batch, extremes(batch)[2]))
    assert (slope.gather(1, batch.targets[:, None]) < 0).all()


def test_gradient_is_that_of_the_value(case):
    if case.stops_gradient:
        pytest.skip("a part is a constant for the gradient; it has a test of its own")
    loss, batch = case.build().double(), case.batch(3, dtype=torch.float64)
    inputs = [batch.logits, batch.features] if loss.needs_features else [batch.logits]
    inputs = [x.requires_grad_() for x in inputs]
    assert torch.autograd.gradcheck(lambda z, h=None: loss(z, batch.targets, features=h), inputs)


def test_ala_gives_no_gradient_through_the_difficulty(make_case):
    case = make_case(ALA)
    loss, batch = case.build().double(), case.batch(dtype=torch.float64)
    _, slope = gradient(case, loss, batch)
    index = batch.targets[:, None]
    margin = loss.quantity[index] * (loss.scale - batch.logits.gather(1, index)) / 2
    lowered = batch.logits.scatter_add(1, index, -margin).softmax(1)
    expected = (lowered - nn.functional.one_hot(batch.targets, 6)) / len(batch)
    close(slope, expected)


@pytest.mark.parametrize("detach", [False, True])
def test_influence_divides_the_gradient_only_as_a_constant_where_detached(make_case, detach):
    case = make_case(InfluenceBalanced, {"detach": detach, "weights": None})
    loss, batch = case.build().double(), case.batch(dtype=torch.float64)
    _, slope = gradient(case, loss, batch)
    p = batch.logits.softmax(1)
    error = p - nn.functional.one_hot(batch.targets, 6)
    divisor = error.abs().sum(1) * batch.features.abs().sum(1) + 1e-3
    constant = 1000 * error / divisor[:, None] / len(batch)
    assert torch.allclose(slope, constant) == detach


def test_autocast_leaves_the_value_in_float32(case):
    loss, batch = case.build(), case.batch()
    plain = case.value(loss, batch)
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype=dtype):
            value = case.value(loss, batch)
        assert value.dtype == torch.float32
        assert torch.equal(value, plain)


class Probe(CrossEntropy):
    """A loss whose formula multiplies matrices, which autocast would narrow."""

    def per_sample(self, logits, targets):
        return super().per_sample(logits @ torch.eye(6), targets)


def test_formula_runs_outside_autocast(make_case, counts):
    batch = make_case(CrossEntropy).batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = Probe(counts)(batch.logits, batch.targets)
    assert torch.equal(value, CrossEntropy(counts)(batch.logits, batch.targets))


def test_half_precision_logits_are_widened_before_anything_else(case):
    loss, batch = case.build(), case.batch()
    for dtype in (torch.bfloat16, torch.float16):
        narrow = case.batch(dtype=dtype)
        wide = type(narrow)(narrow.logits.float(), narrow.targets, narrow.features.float())
        with torch.autocast("cpu", dtype=dtype):
            value, slope = gradient(case, loss, narrow)
        assert value.dtype == torch.float32
        assert torch.equal(value, case.value(loss, wide))
        close(value, case.value(loss, batch), rtol=0.05)
        assert slope.isfinite().all()


def test_order_of_the_images_does_not_matter(case):
    loss, batch = case.build(), case.batch()
    order = torch.randperm(len(batch), generator=torch.Generator().manual_seed(1))
    share = torch.linspace(0, 1, len(batch))
    close(case.value(loss, batch.take(order)), case.value(loss, batch))
    close(case.value(loss, batch.take(order), share[order]), case.value(loss, batch, share))


def renumbered(batch, order):
    """The same batch where class order[i] has the number i; other outputs stay in place."""
    rest = torch.arange(len(order), batch.logits.shape[1])
    logits = batch.logits[:, torch.cat([order, rest])]
    return replaced(batch, logits, order.argsort()[batch.targets])


def test_numbering_of_the_classes_does_not_matter(case, counts):
    batch, order = case.batch(), torch.tensor([4, 2, 5, 0, 3, 1])
    first, second = case.build(), case.build(counts[order])
    close(case.value(second, renumbered(batch, order)), case.value(first, batch))
    moved = second.predict_logits(renumbered(batch, order).logits)
    close(moved, first.predict_logits(batch.logits)[:, order])


def test_the_same_batch_twice_has_the_same_loss(case):
    loss, batch = case.build(), case.batch()
    twice = batch.take(torch.arange(len(batch)).repeat(2))
    close(case.value(loss, twice), case.value(loss, batch))


def test_batch_of_one_is_the_value_of_its_image(case):
    loss, batch = case.build(weights=None), case.batch(1)
    close(case.value(loss, batch), case.per_sample(loss, batch).squeeze())


def test_empty_batch_gives_zero_and_a_gradient(case):
    value, slope = gradient(case, case.build(), case.batch(0))
    assert float(value) == 0.0
    assert slope.shape == (0, case.build().num_outputs)


def test_following_the_gradient_predicts_every_target(case):
    loss, batch = case.build(weights=None), case.batch(12)
    logits, values = torch.zeros_like(batch.logits), []
    for _ in range(10):
        value, slope = gradient(case, loss, replaced(batch, logits))
        logits = logits - slope.sign()
        values.append(value.item())
    assert values[-1] < values[0]
    assert loss.predict_logits(logits).argmax(1).tolist() == batch.targets.tolist()


def test_prediction_is_the_bare_logits_unless_there_are_more_outputs(case):
    loss, batch = case.build(), case.batch()
    predicted = loss.predict_logits(batch.logits)
    assert predicted.shape == (len(batch), 6)
    if loss.num_outputs == 6:
        assert torch.equal(predicted, batch.logits)


def test_the_global_generator_is_left_alone(case):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    case.value(case.build(), case.batch())
    assert torch.equal(torch.get_rng_state(), before)
