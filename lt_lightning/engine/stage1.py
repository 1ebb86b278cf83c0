"""Taking over the weights of a finished stage 1."""

import logging
from dataclasses import dataclass
from typing import Any

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.engine.backbone_init import fitting, load_backbone, part_of
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.seen_data import other_images, warn_of_other_view
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import CHANGES, DATA_STATE

log = logging.getLogger(__name__)
STAGE = "lt_stage"  # the key of the stage in a checkpoint


@dataclass(frozen=True)
class Taken:
    """How many tensors were taken; of the backbone all, of the classifier all or none."""

    backbone: int
    head: int

    @property
    def whole(self) -> bool:
        """Whether the classifier was taken too."""
        return self.head > 0

    def __str__(self) -> str:
        head = f"all {self.head}" if self.whole else "none"
        return f"all {self.backbone} tensors of the backbone and {head} of the classifier"


def take_over(
    content: dict[str, Any], path: str, module: LongTailModule, *, needs_head: bool
) -> Taken:
    """Load backbone and head of a stage-1 checkpoint; every tensor is accounted for.

    Args:
        content: the checkpoint.
        path: its path, for the messages.
        module: its backbone takes all tensors from it, its head takes them where all fit.
        needs_head: whether stage 2 builds on the head of stage 1.

    Raises:
        UserError: if it is of stage 2, of another backbone, of other classes, or its head is
            needed and does not fit or was changed after the training.
    """
    if content.get(STAGE, 1) != 1:
        raise UserError(
            f"{path} is a checkpoint of stage 2: give the stage1.ckpt beside it, or a run of one "
            "stage."
        )
    changed = bool(content.get(CHANGES))
    if needs_head and changed:
        raise UserError(
            f"{path} was changed after its training, and a second stage would begin with its "
            "classifier as it was before: give the run that it was saved from."
        )
    _check_classes(content, path, module)
    head = module.head
    total = load_backbone(content, path, module.backbone)
    saved = part_of(content, "head.")
    in_head, head_total = fitting(saved, head)
    # A changed run predicts with another classifier: nothing is told of the one it has saved.
    fits = in_head == head_total == len(saved) and not changed
    if needs_head and not fits:
        raise UserError(
            f"The classifier of {path} does not fit ({in_head} of {head_total} tensors): give "
            "--model.head and --model.loss as in that run."
        )
    if fits:
        head.load_state_dict(saved)
    return Taken(total, head_total if fits else 0)


def _check_classes(content: dict[str, Any], path: str, module: LongTailModule) -> None:
    """Refuse other classes."""
    known = content.get("hyper_parameters", {})
    counts, names = known.get("class_counts"), known.get("class_names")
    if counts is not None and len(counts) != module.num_classes:
        raise UserError(
            f"{path} has {len(counts)} classes but the data have {module.num_classes}: use the "
            "data of that run."
        )
    pairs = zip(names or [], module.class_names, strict=False)
    other = next(((a, b) for a, b in pairs if str(a) != b), None)
    if other:
        raise UserError(
            f"{path} has a class {other[0]} where the data have {other[1]}: use the data of that "
            "run."
        )


def warn_of_other_images(content: dict[str, Any], path: str, module: LongTailModule) -> None:
    """Say so where stage 1 was trained on other images than stage 2 will be, or saw them so."""
    data = LongTailDataModule.of(module.trainer)
    if data is None:
        return
    warn_of_other_view(content, path, data)
    other = other_images(content.get(DATA_STATE, {}), data)
    if other is not None:
        log.warning(
            "%s was trained on other images (%s) than stage 2 is (%s): what is held out now may "
            "have been trained on.",
            path,
            *other,
        )
