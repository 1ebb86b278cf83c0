"""What all losses on embeddings promise."""

import copy

import pytest
import torch
from embeddings import CLASSES, COUNTS, ROWS, WIDTH, labels, unit

from lt_lightning import losses
from lt_lightning.errors import UserError
from lt_lightning.losses import (
    BalancedContrastive,
    ContrastiveLoss,
    PrototypicalContrastive,
    SupervisedContrastive,
    recommended_temperature,
)


class WithPrototypes(BalancedContrastive):
    """Class-averaging and class-complement, with prototypes that are always given."""

    def forward(self, embeddings, targets, prototypes=None):
        return super().forward(embeddings, targets, unit(CLASSES, seed=9, like=embeddings))


MADE = {
    "sc": lambda **more: SupervisedContrastive(COUNTS, WIDTH, **more),
    "psc": lambda **more: PrototypicalContrastive(COUNTS, WIDTH, **more),
    "moving psc": lambda **more: PrototypicalContrastive(
        COUNTS, WIDTH, prototypes="moving", **more
    ),
    "averaged": lambda **more: BalancedContrastive(COUNTS, WIDTH, **more),
    "bcl": lambda **more: WithPrototypes(COUNTS, WIDTH, **more),
}
KINDS = {SupervisedContrastive, PrototypicalContrastive, BalancedContrastive}
ALONE = {"sc", "averaged"}  # those in which an anchor can be without a positive


@pytest.fixture(params=MADE)
def name(request):
    return request.param


@pytest.fixture
def loss(name):
    torch.manual_seed(0)
    return MADE[name]()


def test_no_class_is_forgotten():
    exported = [getattr(losses, name) for name in losses.__all__]
    kinds = {c for c in exported if isinstance(c, type) and issubclass(c, ContrastiveLoss)}
    assert kinds - {ContrastiveLoss} == KINDS
    assert {type(make()) for make in MADE.values()} - {WithPrototypes} == KINDS


def test_unreduced_values_make_up_the_mean(name, loss):
    torch.manual_seed(0)
    single, z, y = MADE[name](reduction="none"), unit(ROWS), labels()
    values, dropped = single.double()(z, y)
    mean = loss.double()(z, y)
    assert values.shape == (ROWS,)
    torch.testing.assert_close(values.sum() / (ROWS * (1 - dropped)), mean.loss)
    with pytest.raises(UserError, match="reduction is 'sum'"):
        MADE[name](reduction="sum")


def test_value_is_the_mean_over_anchors_that_count(name, loss):
    z, y = unit(ROWS), labels()
    term = loss.double()(z, y)
    extra = (unit(CLASSES, seed=9),) if name == "bcl" else ()
    values, has = loss.eval().per_anchor(z, y, *extra)
    assert (name in ALONE) == (not has.all())
    if name != "moving psc":  # its prototypes have moved since
        assert float(term.loss.detach()) == pytest.approx(float(values[has].mean().detach()))
    assert float(term.dropped) == pytest.approx(1 - float(has.double().mean()))
    assert not term.dropped.requires_grad


def test_gradient_is_that_of_the_value(name, loss):
    loss = loss.double().eval()
    z, y = unit(7).requires_grad_(), labels(7)
    assert torch.autograd.gradcheck(lambda rows: loss(rows, y).loss, (z,))
    parameters = list(loss.parameters())
    assert bool(parameters) == (name == "psc")
    for parameter in parameters:
        loss(z, y).loss.backward()
        assert parameter.grad.abs().sum() > 0


def test_order_of_the_batch_does_not_matter(loss):
    loss = loss.double().eval()
    z, y = unit(ROWS), labels()
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(loss(z[order], y[order]).loss, loss(z, y).loss)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_finite_and_computed_wide(loss, dtype):
    z, y = unit(ROWS).float().requires_grad_(), labels()
    loss.eval()
    wide = loss(z, y).loss
    with torch.autocast("cpu", dtype):
        value = loss(z, y).loss
    assert torch.equal(value, wide)
    narrow = loss(z.to(dtype), y).loss
    assert narrow.dtype == torch.float32
    narrow.backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("temperature", [1e-3, 1e3])
@pytest.mark.parametrize("case", ["equal", "opposed", "random"])
def test_extreme_values_are_finite(name, temperature, case):
    z = unit(ROWS).float()
    z = {"equal": z[:1].expand(ROWS, -1), "opposed": z[:1] * torch.ones(ROWS, 1), "random": z}[case]
    if case == "opposed":
        z = z * (1 - 2 * (torch.arange(ROWS) % 2))[:, None]
    z = z.clone().requires_grad_()
    value = MADE[name](temperature=temperature)(z, labels()).loss
    value.backward()
    assert value.isfinite()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("rows", [0, 1, CLASSES])
def test_batch_without_positives_has_no_loss_and_no_gradient(name, loss, rows):
    z = unit(rows).float().requires_grad_()
    loss_, dropped = loss(z, torch.arange(rows))
    loss_.backward()
    assert z.grad.isfinite().all()
    if name in ALONE:
        assert float(loss_.detach()) == 0
        assert float(z.grad.abs().sum()) == 0
        assert float(dropped) == 1
    else:
        assert loss_.isfinite()
        assert float(dropped) == (0 if rows else 1)


def test_second_view_is_a_positive_of_a_class_with_one_image(loss):
    z, y = unit(2 * CLASSES).float(), torch.arange(CLASSES).repeat(2)
    assert float(loss(z, y).dropped) == 0


def test_learned_prototypes_are_used_at_length_one():
    torch.manual_seed(0)
    loss = PrototypicalContrastive(COUNTS, WIDTH)
    z, y = unit(ROWS).float(), labels()
    before = loss(z, y).loss
    with torch.no_grad():
        loss.prototypes.mul_(torch.tensor([[0.1], [3.0], [7.0], [1.0], [50.0]]))
    torch.testing.assert_close(loss(z, y).loss, before)


def test_moving_prototypes_follow_the_means():
    torch.manual_seed(0)
    loss = PrototypicalContrastive(COUNTS, WIDTH, prototypes="moving", momentum=0.75).double()
    start = copy.deepcopy(loss.prototypes)
    z, y = unit(4), torch.tensor([0, 0, 2, 2])
    loss(z, y)
    means = {0: z[:2].mean(0), 2: z[2:].mean(0)}
    for c in range(CLASSES):
        want = means[c] / means[c].norm() if c in means else start[c]
        torch.testing.assert_close(loss.prototypes[c], want)
    assert loss.seen.tolist() == [True, False, True, False, False]
    old = copy.deepcopy(loss.prototypes[0])
    loss(z[2:], torch.tensor([0, 1]))
    want = 0.75 * old + 0.25 * z[2]
    torch.testing.assert_close(loss.prototypes[0], want / want.norm())
    torch.testing.assert_close(loss.prototypes[1], z[3])
    kept = copy.deepcopy(loss.prototypes)
    loss.eval()(z, y)
    assert torch.equal(loss.prototypes, kept)
    assert not list(loss.parameters())


def test_temperatures_are_those_of_the_data_set():
    assert [recommended_temperature(c) for c in (2, 10, 30, 40, 100, 1000)] == [
        *(1.0, 1.0, 1.0),
        *(0.1, 0.1, 0.1),
    ]
    assert PrototypicalContrastive(torch.ones(10), 4).temperature == 1.0
    assert PrototypicalContrastive(torch.ones(100), 4).temperature == 0.1
    assert PrototypicalContrastive(torch.ones(100), 4, temperature=0.5).temperature == 0.5
    for classes in (10, 100):
        assert SupervisedContrastive(torch.ones(classes), 4).temperature == 0.1


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_temperature_is_refused(name, temperature):
    with pytest.raises(UserError, match=r"temperature is .*: choose it in \(0, inf\)"):
        MADE[name](temperature=temperature)


def test_bad_arguments_are_refused():
    with pytest.raises(UserError, match="There is 1 class"):
        PrototypicalContrastive(torch.tensor([4]), WIDTH)
    with pytest.raises(UserError, match=r"momentum is 1\.0"):
        PrototypicalContrastive(COUNTS, WIDTH, momentum=1.0)
    with pytest.raises(UserError, match="prototypes is 'mean': choose one of learned, moving"):
        PrototypicalContrastive(COUNTS, WIDTH, prototypes="mean")
    with pytest.raises(UserError, match="embedding_dim is 0"):
        SupervisedContrastive(COUNTS, 0)


@pytest.mark.parametrize(
    ("rows", "targets", "sentence"),
    [
        ((ROWS, WIDTH + 1), labels(), "was built for the width 6"),
        ((ROWS,), labels(), "was built for the width 6"),
        ((ROWS, WIDTH), labels()[:4], "one class index per embedding"),
        ((ROWS, WIDTH), labels().float(), "one class index per embedding"),
    ],
)
def test_wrong_shapes_are_refused(loss, rows, targets, sentence):
    with pytest.raises(UserError, match=sentence):
        loss(torch.randn(rows), targets)


def test_what_is_no_tensor_is_refused():
    embeddings, loss = torch.randn(ROWS, WIDTH), BalancedContrastive(COUNTS, WIDTH)
    for given in ((embeddings.tolist(), labels()), (embeddings, labels().numpy())):
        with pytest.raises(UserError, match="give a tensor"):
            loss(*given)
    with pytest.raises(UserError, match="prototypes is a list: give a tensor"):
        loss(embeddings, labels(), [[1.0] * WIDTH])


@pytest.mark.parametrize(
    ("scale", "shift", "told"),
    [
        (3.0, 0, "lengths from .* normalised"),
        (0.5, 0, "lengths from .* normalised"),
        (float("nan"), 0, "lengths from nan"),
        (1.0, 5, "run from 5 to 7"),
        (1.0, -1, "run from -1 to 1"),
    ],
)
@pytest.mark.parametrize(
    "kind", [SupervisedContrastive, BalancedContrastive, PrototypicalContrastive]
)
def test_values_that_cannot_be_right_are_refused_at_once(kind, scale, shift, told):
    """Trap: embeddings that were not normalised gave 2028 in place of 4.97."""
    loss = kind([9, 4, 2], 8)
    embeddings = torch.nn.functional.normalize(torch.randn(6, 8), dim=1)
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    with pytest.raises(UserError, match=told):
        loss(scale * embeddings, targets + shift)
    loss(embeddings.bfloat16(), targets)
    embeddings[0] = 0  # F.normalize leaves it so
    kind([9, 4, 2], 8)(embeddings, targets)
