"""What every method promises: a step without a Trainer, a fit, a checkpoint, a resumed run."""

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.methods import LongTailModule
from lt_lightning.testing.constructor import GIVEN_TO_METHODS, check_constructor
from lt_lightning.testing.expect import promised, that
from lt_lightning.testing.fit_callbacks import Disturb, StopAfterFirst
from lt_lightning.testing.method_runs import DataMaker, MethodMaker, Runs, module_of
from lt_lightning.testing.method_training import labels_are_learned
from lt_lightning.testing.toy import toy_data

_EPOCHS = 2
_ALONE = 4  # images that are predicted one by one
_ROUNDING = 1e-3


def check_method(
    method: MethodMaker, *, data: DataMaker | None = None, epochs: int = _EPOCHS, **options: Any
) -> None:
    """Check all that a method promises, in short fits on a CPU.

    Args:
        method: the class, or what makes it; called with `options` and what the data say
            (class_counts, class_names, groups), and with a small backbone where none is in
            `options`.
        data: makes small data of classes that are easily told apart, the same each time; none is
            `toy_data` with the streams of the class.
        epochs: of a fit; those of both stages where there are two.
        options: of the method.

    Raises:
        AssertionError: with what is broken.
    """
    if data is None:
        kind = method if isinstance(method, type) else LongTailModule
        data = partial(toy_data, kind.streams if issubclass(kind, LongTailModule) else ())
    with tempfile.TemporaryDirectory() as folder, _seed_of_the_run(), promised():
        runs = Runs(method, options, data, epochs, Path(folder))
        for check in CHECKS:
            check(runs)


@contextmanager
def _seed_of_the_run() -> Iterator[None]:
    name = "PL_GLOBAL_SEED"  # where Lightning keeps it
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _same_weights(first: LongTailModule, second: LongTailModule, message: str) -> None:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    other = [name for (name, one), (_, two) in pairs if not torch.equal(one, two)]
    that(not other, f"{message}: {other[:3]} differ")


def constructor_is_open(runs: Runs) -> None:
    """Every option has a type, and what the command gives is handed on to the base."""
    data = runs.data()
    data.setup("fit")
    check_constructor(type(runs.module(data)), LongTailModule, GIVEN_TO_METHODS)


def steps_run_without_a_trainer(runs: Runs) -> None:
    """A loop written by hand has the losses of a Trainer, in every epoch of every stage."""
    data = runs.data()
    data.setup("fit")
    module = runs.module(data)
    losses, stage = list[float](), 0
    for epoch in range(runs.epochs):
        module.set_epoch(epoch, runs.epochs)
        if module.stage_at(epoch).number != stage:
            stage = module.stage_at(epoch).number
            made = module.configure_optimizers()
            optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
        module.train()
        for index, batch in enumerate(runs.whole.watch.batches[epoch]):
            result = _step(module, batch, index)
            loss = result["loss"] if isinstance(result, dict) else result
            that(
                isinstance(loss, Tensor) and loss.shape == () and bool(loss.isfinite()),
                f"training_step without a Trainer gives the loss {loss}",
            )
            optimizer.zero_grad()
            loss.backward()
            module.on_before_optimizer_step(optimizer)
            optimizer.step()
            losses.append(float(loss.detach()))
        scheduler.step()
    wanted = runs.whole.watch.losses
    that(
        torch.allclose(torch.tensor(losses), torch.tensor(wanted), rtol=1e-4),
        f"steps without a Trainer have the losses {losses}, those of a Trainer {wanted}",
    )


def _step(module: LongTailModule, batch: Any, index: int) -> Any:
    try:
        return module.training_step(batch, index)
    except RuntimeError as error:  # Lightning's, where a trainer is asked for
        raise AssertionError(f"training_step needs a Trainer ({error})") from error


def every_trained_parameter_has_a_gradient(runs: Runs) -> None:
    """In every step the loss is finite and has a gradient; so has all that the optimizer holds."""
    watch = runs.whole.watch
    that(all(map(math.isfinite, watch.losses)), f"the losses of a fit are {watch.losses}")
    that(not watch.missing, f"{sorted(watch.missing)[:3]} are trained but have no gradient")
    that(
        not watch.still,
        f"in the steps {watch.still} all gradients are 0: no gradient of the loss reaches a weight",
    )
    that(not watch.with_graph, f"{watch.with_graph} keep the graph of the step: detach them")


def modes_are_kept(runs: Runs) -> None:
    """A step leaves all parts in the mode, of training or of evaluation, that they were in."""
    turned = sorted(runs.whole.watch.turned)
    that(not turned, f"training_step changes the mode of {turned[:3]}: put it back")


def global_generator_does_not_matter(runs: Runs) -> None:
    """Numbers that others draw from the global generator change no weight."""
    disturbed = module_of(runs.fit(Disturb()))
    message = "the weights depend on the global generator: draw from step_generator(batch_idx)"
    _same_weights(runs.whole.module, disturbed, message)


def resumed_run_has_the_same_weights(runs: Runs) -> None:
    """A run that was stopped and resumed ends as one that was not."""
    part = runs.fit(StopAfterFirst())
    path = runs.folder / "part.ckpt"
    part.save_checkpoint(path)
    rest = module_of(runs.fit(ckpt_path=path))
    _same_weights(runs.whole.module, rest, "a resumed run ends with other weights")


def logits_are_those_of_the_checkpoint(runs: Runs) -> None:
    """predict_logits gives (N, C), the same from a module with the saved weights."""
    data = runs.data()
    data.setup("fit")
    fresh, fitted = runs.module(data), runs.whole.module
    content: dict[str, Any] = {"state_dict": fitted.state_dict()}
    fitted.on_save_checkpoint(content)
    fresh.on_load_checkpoint(content)
    fresh.load_state_dict(content["state_dict"])
    images, _ = next(iter(data.eval_loader("train")))
    fresh.eval(), fitted.eval()
    with torch.no_grad():
        want, got = fitted.predict_logits(images), fresh.predict_logits(images)
    shape = (len(images), fitted.num_classes)
    that(want.shape == shape, f"predict_logits gives {tuple(want.shape)}, not {shape}")
    that(torch.equal(got, want), "the checkpoint does not hold all that predict_logits needs")


def logits_are_those_of_the_image(runs: Runs) -> None:
    """predict_logits gives an image what it gives it beside others."""
    data = runs.data()
    data.setup("fit")
    images, _ = next(iter(data.eval_loader("train")))
    module = runs.whole.module.eval()
    with torch.no_grad():
        within = module.predict_logits(images[:_ALONE])
        alone = torch.cat([module.predict_logits(image[None]) for image in images[:_ALONE]])
    # A network works on batches of other sizes in another order, which rounds otherwise.
    apart = float((within - alone).abs().max() / within.abs().max().clamp_min(1))
    that(
        apart < _ROUNDING,
        f"the logits of an image change by {apart:.2g} of the largest with the other images of the "
        "batch",
    )


CHECKS = (
    constructor_is_open,
    every_trained_parameter_has_a_gradient,
    modes_are_kept,
    steps_run_without_a_trainer,
    labels_are_learned,
    global_generator_does_not_matter,
    resumed_run_has_the_same_weights,
    logits_are_those_of_the_checkpoint,
    logits_are_those_of_the_image,
)
