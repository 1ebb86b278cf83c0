"""Taking over the weights of a finished stage 1."""

import logging
from typing import Any

from torch import Tensor, nn

from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
STAGE = "lt_stage"  # the key of the stage in a checkpoint


def take_over(
    content: dict[str, Any], path: str, backbone: nn.Module, head: nn.Module, needs_head: bool
) -> None:
    """Load backbone and head of a stage-1 checkpoint; every tensor is accounted for.

    Args:
        content: the checkpoint.
        path: its path, for the messages.
        backbone: takes all of its tensors from it.
        head: takes them where all fit.
        needs_head: whether stage 2 builds on the head of stage 1.

    Raises:
        UserError: if it is of stage 2, of another backbone, of other classes, or its head is
            needed and does not fit.
    """
    if content.get(STAGE, 1) != 1:
        raise UserError(
            f"{path} is a checkpoint of stage 2: give the stage1.ckpt beside it, or a run of one "
            "stage."
        )
    counts = content.get("hyper_parameters", {}).get("class_counts")
    outputs = next(iter(head.state_dict().values())).shape[0]
    if counts is not None and len(counts) > outputs:
        raise UserError(
            f"{path} has {len(counts)} classes but the data have {outputs}: use the data of that "
            "run."
        )
    saved = {"backbone": _part(content, "backbone."), "head": _part(content, "head.")}
    fitting, total = _fitting(saved["backbone"], backbone)
    if not fitting == total == len(saved["backbone"]):
        raise UserError(
            f"{path} has another backbone ({fitting} of {total} tensors fit): use the backbone of "
            "that run."
        )
    backbone.load_state_dict(saved["backbone"])
    in_head, head_total = _fitting(saved["head"], head)
    fits = in_head == head_total == len(saved["head"])
    if needs_head and not fits:
        raise UserError(
            f"The classifier of {path} does not fit ({in_head} of {head_total} tensors): give "
            "--model.head and --model.loss as in that run."
        )
    if fits:
        head.load_state_dict(saved["head"])
    log.info(
        "%s: took all %d tensors of the backbone and %s of the classifier",
        path,
        total,
        f"all {head_total}" if fits else "none",
    )


def _part(content: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    state = content["state_dict"]
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def _fitting(saved: dict[str, Tensor], part: nn.Module) -> tuple[int, int]:
    own = part.state_dict()
    fits = sum(k in saved and saved[k].shape == v.shape for k, v in own.items())
    return fits, len(own)
