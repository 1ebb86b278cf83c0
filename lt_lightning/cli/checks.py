"""What is refused before, or right after, the classes of a config are built."""

import copy
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from jsonargparse import Namespace

from lt_lightning.cli.trainer_checks import check_trainer, parts_weights
from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.branches import STREAMS
from lt_lightning.engine.class_shares import differ
from lt_lightning.errors import Refused, UserError
from lt_lightning.losses import Loss
from lt_lightning.methods import ERM, LongTailModule, TwoStage
from lt_lightning.post_hoc import PostHoc
from lt_lightning.post_hoc.outputs import check_held_out
from lt_lightning.runs.argv import first_below
from lt_lightning.samplers import InstanceBalanced, SamplingRule

log = logging.getLogger("lt_lightning")

_FILES = {  # methods whose file has another name
    "ClassifierBound": "classifier_bound",
    "Decoupled": "crt",
    "DisAlign": "dis_align",
    "HybridContrastive": "hybrid_sc",
    "MixupTwoStage": "mislas",
    "MoCo": "ssp_moco",
    "SimSiam": "ssp_simsiam",
}
LINKED = ("class_counts", "class_names", "groups")  # what the model is told of the data


def check_options(command: str, options: Any) -> None:
    """Refuse values that fit their type and yet cannot be meant.

    Args:
        command: fit, validate or test.
        options: the parsed config of the command.

    Raises:
        Refused: if there is one.
    """
    for group, example in (
        ("trainer", "max_epochs: 200"),
        ("data", "batch_size: 128"),
        ("checkpoint", "mode: max"),
    ):
        if not isinstance(options.get(group), Namespace):
            value = options.get(group)
            told = "null" if value is None else repr(value)
            raise Refused(f"{group} is {told}: it holds options, such as {example}.", group)
    for name in LINKED:
        if options.model.get(f"init_args.{name}") is not None:
            key = f"model.{name}"
            raise Refused(f"{key} comes from the data: leave it out.", key)
    if options.get("post_hoc") is not None and command == "validate":
        raise Refused(
            "post_hoc is for lt fit and lt test RUN, not for lt validate: test the run with it.",
            "post_hoc",
        )
    check_trainer(options.trainer, command)
    if options.get("post_hoc") is not None and command == "fit" and parts_weights(options.trainer):
        raise Refused(
            "post_hoc changes whole weights and trainer.strategy parts them: leave it out, then "
            "lt test RUN with it.",
            "post_hoc",
        )


def check_callbacks(given: Sequence[Any], own: Sequence[Any]) -> None:
    """Refuse a callback that every run has.

    Args:
        given: those that the config names.
        own: those of the run.

    Raises:
        Refused: if one is of a class of the run's.
    """
    for callback in given:
        kind = type(callback)
        if kind in map(type, own):
            key = "trainer.callbacks"
            path = f"{kind.__module__}.{kind.__qualname__}"
            raise Refused(f"{key} has {path}, which the run has without it: leave it out.", key)


def check_streams(data: LongTailDataModule, model: LongTailModule) -> None:
    """Refuse a method without its streams of images.

    Raises:
        UserError: if the named samplers are not those that the method needs.
    """
    have, want = sorted(data.samplers or {}), sorted(model.streams)
    if have == want:
        return
    method = type(model).__name__
    if not want:
        raise UserError(
            f"{method} has one stream but the config has data.samplers ({', '.join(have)}): set "
            "--data.samplers null, and --data.sampler for the one stream."
        )
    given = f"data.samplers has {', '.join(have)}" if have else "there is no data.samplers"
    raise UserError(
        f"{method} needs the samplers {', '.join(want)} but {given}: set data.samplers with the "
        f"keys {', '.join(want)}, as in configs/{_FILES.get(method, method.lower())}.yaml."
    )


def check_sampler_is_used(data: LongTailDataModule, command: str) -> None:
    """Refuse a sampler that nothing would draw by, before a fit.

    Raises:
        UserError: if there are named samplers beside it.
    """
    name = type(data.sampler).__name__
    if command == "fit" and data.samplers and not isinstance(data.sampler, InstanceBalanced):
        names = sorted(data.samplers)
        raise UserError(
            f"data.sampler is {name} but the method draws by data.samplers ({', '.join(names)}): "
            f"set --data.samplers.{names[0]} {name}, say, and leave out data.sampler."
        )


def check_change(change: Any, model: LongTailModule, data: LongTailDataModule) -> None:
    """Refuse a change after training that would be refused hours later.

    Args:
        change: of the options, or none.
        model: not yet trained.
        data: set up.

    Raises:
        UserError: if the model does not go with it, or there is nothing to fit it on.
    """
    if not isinstance(change, PostHoc):
        return
    change.refuse(model)
    if change.needs_held_out():
        check_held_out(data)


def check_tested(command: str, argv: Sequence[str], change: Any, data: LongTailDataModule) -> None:
    """Refuse to say which images are tested, and to test others or those that were fitted on.

    Args:
        command: fit, validate or test.
        argv: the words of the command.
        change: after training, or none.
        data: knows whether the held-out images are tested.

    Raises:
        Refused: if `data.test_root` would have no effect, or `change` is fitted on these images.
    """
    if not (data.held_out_tested or command == "validate"):
        return
    what = "--test_on held_out" if data.held_out_tested else "lt validate"
    given = first_below(argv, "data.test_root")
    if command != "fit" and given is not None and data.test_root is not None:
        raise Refused(
            f"{given} names other test images, and {what} looks at the held-out ones: leave one "
            "of them out.",
            "data.test_root",
        )
    if isinstance(change, PostHoc) and change.needs_held_out():
        raise Refused(
            f"{type(change).__name__} is fitted on the held-out images, and {what} would test it "
            "on the same: give its value, or leave that out.",
            "post_hoc",
        )


def check_views(data: LongTailDataModule) -> None:
    """Refuse views that would be equal.

    Raises:
        UserError: if a stream has several views of an image and no augmentation.
    """
    for name, views in data.views.items():
        if views > 1 and data.augments.get(name, data.augment) is None:
            raise UserError(
                f"data.views.{name} is {views} but nothing augments them, so that they are equal: "
                "leave out --data.augment null."
            )


def check_unlabelled(data: LongTailDataModule, model: LongTailModule) -> None:
    """Refuse unlabelled images that nothing would look at.

    Raises:
        UserError: if the method trains on labelled images alone.
    """
    if data.unlabelled is not None and not model.uses_unlabelled:
        raise UserError(
            f"data.unlabelled is {type(data.unlabelled).__name__} but {type(model).__name__} "
            "trains on labelled images alone: set --data.unlabelled null, or use "
            "configs/pseudo_label.yaml."
        )


def warn_of_double_compensation(
    data: LongTailDataModule, model: LongTailModule, max_epochs: int
) -> None:
    """Say so where both the sampler and the loss compensate the class sizes in one epoch."""
    counts, told = data.class_counts, set()
    prior = counts / counts.sum()
    for sampler, loss, epoch, epochs in _trainings(data, model, max_epochs):
        names = type(sampler).__name__, type(loss).__name__
        weighted = float(loss.weight.max()) > 1.01 * float(loss.weight.min())
        if not (loss.corrects_prior or weighted) or names in told:
            continue
        drawn = sampler.shares(counts, epoch, epochs)
        if differ(drawn, prior):
            told.add(names)
            log.warning(
                "%s does not draw the images as they are, and %s compensates the class sizes too: "
                "the tail is compensated twice; use InstanceBalanced in its place.",
                names[0],
                names[1] if loss.corrects_prior else f"{names[1]} with class weights",
            )


def _trainings(
    data: LongTailDataModule, model: LongTailModule, max_epochs: int
) -> Iterator[tuple[SamplingRule, Loss, int, int]]:
    """Yield sampler, loss, epoch and number of epochs, for each epoch of each stage.

    Streams that are mixed, as those of BBN and CMO, draw the tail more often on purpose.
    """
    if isinstance(model, TwoStage):
        samplers, second = data.samplers or {}, model.stage2_loss(model.loss.class_counts)
        for epoch in range(model.stage1_epochs):
            yield samplers["stage1"], model.loss, epoch, model.stage1_epochs
        for epoch in range(model.stage2_epochs):
            yield samplers["stage2"], second, epoch, model.stage2_epochs
    elif tuple(model.streams) == STREAMS:
        for epoch in range(max_epochs):
            yield (data.samplers or {})["classifier"], model.loss, epoch, max_epochs
    elif len(model.streams) == 1:
        for epoch in range(max_epochs):
            yield (data.samplers or {})[model.streams[0]], model.loss, epoch, max_epochs
    elif not data.samplers:
        deferred = _deferred(model) if isinstance(model, ERM) else None
        for epoch in range(max_epochs):
            late = isinstance(model, ERM) and model.deferral(epoch, max_epochs) > 0
            loss = deferred if late and deferred is not None else model.loss
            yield data.sampler, loss, epoch, max_epochs


def _deferred(model: ERM) -> Loss | None:
    """Return the loss of the late epochs, where it is another or gets class weights."""
    if model.deferred_weights is None:
        return model.deferred_loss
    loss = copy.deepcopy(model.loss)
    loss.set_weights(model.deferred_weights)
    return loss
