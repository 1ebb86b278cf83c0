"""What every loss promises about values, gradients, precision, its tables and its marker."""

import copy

import numpy as np
import torch
from torch import Tensor

from lt_lightning.engine.base import LossFactory
from lt_lightning.losses import InverseFrequency, Loss, Reduction
from lt_lightning.testing.constructor import GIVEN_TO_LOSSES, check_constructor
from lt_lightning.testing.expect import close, promised, refused, that, untouched_generator
from lt_lightning.testing.loss_batch import (
    COUNTS,
    HALF,
    LossBatch,
    LossMaker,
    batch_for,
    extremes_of,
    gradient_of,
    value_of,
)
from lt_lightning.testing.loss_training import (
    following_the_gradient_predicts_the_targets,
    hopeless_images_pull_their_target_up,
    marker_of_the_prior_is_true,
    what_is_assumed_is_learned,
)


def check_loss(make: LossMaker) -> None:
    """Check all that a loss promises.

    Args:
        make: makes the loss; called with class counts of any kind: the class itself, or
            `lambda counts: MyLoss(counts, gamma=2.0)`.

    Raises:
        AssertionError: with what is broken.
    """
    with promised():
        for check in CHECKS:
            check(make)


def constructor_is_open(make: LossMaker) -> None:
    """Every option has a type, and the base gets its weights and its reduction."""
    kind = type(make(COUNTS))
    check_constructor(kind, LossFactory, GIVEN_TO_LOSSES)
    if make is kind:
        given = kind(COUNTS, weights=InverseFrequency(), reduction="none")
        rule, reduction = InverseFrequency()(COUNTS).float(), given.reduction
        taken = torch.equal(given.weight, rule) and reduction == "none"
        that(taken, "weights or reduction are lost: hand **options on to super().__init__")


def counts_may_be_of_any_kind(make: LossMaker) -> None:
    """A list, an array and a tensor of counts give one loss; bad counts are refused."""
    tables = make(torch.tensor(COUNTS)).state_dict()
    for given in (list(COUNTS), np.array(COUNTS), np.array(COUNTS, dtype=np.uint16)):
        for name, table in make(given).state_dict().items():
            that(
                torch.equal(table, tables[name]),
                f"{name} is another one for class counts given as {type(given).__name__}",
            )
    for bad in ([5, 0, 3], [5.0, 2.5, 1.0], [[5, 3], [2, 1]]):
        with refused(f"class_counts {bad}"):
            make(bad)  # type: ignore[arg-type]


def extreme_logits_are_finite(make: LossMaker) -> None:
    """Value and gradient are finite for very large logits, in half precision too."""
    batch = batch_for(make(COUNTS))
    for name, logits in extremes_of(make(COUNTS), batch).items():
        value, slope = gradient_of(make(COUNTS), batch.with_logits(logits))
        that(value.isfinite() & slope.isfinite().all(), f"not finite for logits {name}")
        for dtype in HALF:
            with torch.autocast("cpu", dtype=dtype):
                narrow = batch.with_logits(logits.to(dtype))
                value, slope = gradient_of(make(COUNTS), narrow)
            what = f"for {dtype} logits {name}"
            that(value.isfinite() & slope.isfinite().all(), f"not finite {what}")
            that(value.dtype == torch.float32, f"the value is {value.dtype} {what}")


def gradient_is_that_of_the_value(make: LossMaker) -> None:
    """The gradient is that of finite differences, unless the loss says `stops_gradient`."""
    loss = make(COUNTS).double()
    if loss.stops_gradient:
        return
    batch = batch_for(loss, 3)
    inputs = [batch.logits.double().requires_grad_()]
    if loss.needs_features:
        inputs.append(batch.features.double().requires_grad_())

    def value(logits: Tensor, features: Tensor | None = None) -> Tensor:
        result: Tensor = loss(logits, batch.targets, features=features)
        return result

    that(
        torch.autograd.gradcheck(value, inputs, raise_exception=False),
        "the gradient is not that of the value: if a part is a constant for the gradient on "
        "purpose, set stops_gradient = True",
    )


def precision_is_kept(make: LossMaker) -> None:
    """Half-precision logits are widened first, and autocast changes nothing."""
    loss = make(COUNTS)
    batch = batch_for(loss)
    for dtype in HALF:
        narrow = LossBatch(batch.logits.to(dtype), batch.targets, batch.features.to(dtype))
        wide = LossBatch(narrow.logits.float(), batch.targets, narrow.features.float())
        with torch.autocast("cpu", dtype=dtype):
            first, second = value_of(loss, narrow), value_of(loss, batch)
        that(first.dtype == torch.float32, f"{dtype} logits give a value in {first.dtype}")
        that(torch.equal(first, value_of(loss, wide)), f"{dtype} logits are not widened first")
        that(torch.equal(second, value_of(loss, batch)), f"autocast to {dtype} changes the value")


def order_does_not_matter(make: LossMaker) -> None:
    """Neither the order of the images nor the numbering of the classes changes the value."""
    loss = make(COUNTS)
    batch = batch_for(loss)
    generator = torch.Generator().manual_seed(1)
    order, share = torch.randperm(17, generator=generator), torch.linspace(0, 1, 17)
    what = "the value depends on the order of the images"
    close(value_of(loss, batch.take(order)), value_of(loss, batch), what)
    close(value_of(loss, batch.take(order), share[order]), value_of(loss, batch, share), what)
    classes = torch.tensor([4, 2, 5, 0, 3, 1])
    other = make(torch.tensor(COUNTS)[classes])
    columns = torch.cat([classes, torch.arange(len(COUNTS), loss.num_outputs)])
    moved = LossBatch(batch.logits[:, columns], classes.argsort()[batch.targets], batch.features)
    close(
        value_of(other, moved),
        value_of(loss, batch),
        "the value depends on how classes are numbered",
    )
    close(
        other.predict_logits(moved.logits),
        loss.predict_logits(batch.logits)[:, classes],
        "predict_logits depends on how classes are numbered",
    )


def size_does_not_matter(make: LossMaker) -> None:
    """A batch twice has the value of once; a batch of none is 0 with a gradient."""
    loss = make(COUNTS)
    batch = batch_for(loss)
    twice = batch.take(torch.arange(17).repeat(2))
    close(value_of(loss, twice), value_of(loss, batch), "a batch given twice has another value")
    value, slope = gradient_of(loss, batch_for(loss, 0))
    that(float(value) == 0.0, f"a batch without images has the value {float(value)}, not 0")
    that(slope.shape == (0, loss.num_outputs), "a batch without images has no gradient")


def values_of_images_make_up_the_mean(make: LossMaker) -> None:
    """Reduction "none" gives (N,), whose sum over that of the weights, or N, is the mean."""
    loss, single = make(COUNTS), make(COUNTS)
    single.reduction = "none"
    batch, share = batch_for(loss), torch.linspace(0, 1, 17)
    values = value_of(single, batch, share)
    that(values.shape == (17,), f'reduction "none" gives the shape {tuple(values.shape)}')
    masses: dict[Reduction, Tensor] = {
        "weighted_mean": loss.weight[batch.targets].sum(),
        "mean": torch.tensor(17.0),
    }
    for name, mass in masses.items():
        loss.reduction = name
        what = f'the values of reduction "none" do not make up "{name}"'
        close(values.sum() / mass, value_of(loss, batch, share), what)
    loss.set_weights(None)
    _weights_count_once(make, loss)
    alone = batch_for(loss, 1)
    extra = (alone.features,) if loss.needs_features else ()
    want = loss.per_sample(alone.logits, alone.targets, *extra).squeeze()
    close(value_of(loss, alone), want, "a batch of one image has not its own value")


def _weights_count_once(make: LossMaker, bare: Loss) -> None:
    """The value of an image is its bare one times the weight of its class."""
    weighted, batch, rule = make(COUNTS), batch_for(bare), torch.linspace(0.5, 3, len(COUNTS))
    weighted.set_weights(lambda counts: rule.double())  # type: ignore[arg-type]
    weighted.reduction = bare.reduction = "none"
    close(
        value_of(weighted, batch),
        rule[batch.targets] * value_of(bare, batch),
        "the value of an image is not its bare one times the weight of its class, which forward "
        "takes in: leave self.weight out of per_sample",
    )
    bare.reduction = "mean"


def prediction_is_by_class(make: LossMaker) -> None:
    """predict_logits gives (N, C), the bare logits unless the loss has more outputs."""
    loss = make(COUNTS)
    logits = batch_for(loss).logits
    found = loss.predict_logits(logits)
    that(found.shape == (17, len(COUNTS)), f"predict_logits gives {tuple(found.shape)}")
    if loss.num_outputs == len(COUNTS):
        that(torch.equal(found, logits), "predict_logits changes the logits")


def tables_are_buffers(make: LossMaker) -> None:
    """All tables move with the loss, are in its state, and are copied with it."""
    loss = make(COUNTS)
    batch = batch_for(loss)
    value = value_of(loss, batch)
    other = make((800, 7, 30, 200, 2, 11))
    if other.num_outputs == loss.num_outputs:
        other.load_state_dict(loss.state_dict())
        that(torch.equal(value_of(other, batch), value), "state_dict does not hold all tables")
    twin = copy.deepcopy(loss)
    twin.set_weights(lambda counts: counts.double())  # type: ignore[arg-type]
    that(torch.equal(value_of(loss, batch), value), "a copy shares its weights with the original")
    away = loss.to("meta")
    held = [name for name, item in vars(away).items() if isinstance(item, Tensor)]
    that(not held, f"{held} stay behind when the loss is moved: store them with self.table")


def bad_batches_are_refused(make: LossMaker) -> None:
    """Shapes, types, NaN, probabilities and targets that cannot be right are refused."""
    batch = batch_for(make(COUNTS))
    logits, targets, features = batch
    outside, unknown = targets.clone(), logits.clone()
    outside[3], unknown[2, 1] = len(COUNTS), float("nan")
    bad = {
        "a missing column of logits": (logits[:, :-1], targets),
        "a missing target": (logits, targets[:-1]),
        "a target of another type": (logits, targets.float()),
        "a target outside of the classes": (logits, outside),
        "a logit NaN": (unknown, targets),
        "probabilities": (logits.softmax(1), targets),
    }
    for what, (z, y) in bad.items():
        with refused(what):
            make(COUNTS)(z, y, features=features)


def global_generator_is_left_alone(make: LossMaker) -> None:
    """Neither making nor calling the loss draws from the global generator."""
    with untouched_generator():
        loss = make(COUNTS)
        value_of(loss, batch_for(loss))


CHECKS = (
    constructor_is_open,
    counts_may_be_of_any_kind,
    extreme_logits_are_finite,
    hopeless_images_pull_their_target_up,
    gradient_is_that_of_the_value,
    precision_is_kept,
    order_does_not_matter,
    size_does_not_matter,
    values_of_images_make_up_the_mean,
    following_the_gradient_predicts_the_targets,
    prediction_is_by_class,
    marker_of_the_prior_is_true,
    what_is_assumed_is_learned,
    tables_are_buffers,
    bad_batches_are_refused,
    global_generator_is_left_alone,
)
