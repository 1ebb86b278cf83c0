"""Taking over the backbone of another run; every tensor of it is accounted for."""

import logging
from typing import Any

from torch import Tensor, nn

from lt_lightning.engine.sharded import placed_as
from lt_lightning.errors import UserError

log = logging.getLogger(__name__)


def take_backbone(content: dict[str, Any], path: str, backbone: nn.Module) -> None:
    """Load the backbone of a checkpoint, batch norm statistics included, and say so.

    Args:
        content: the checkpoint.
        path: its path, for the messages.
        backbone: takes all of its tensors from it.

    Raises:
        UserError: if the checkpoint has another backbone.
    """
    total = load_backbone(content, path, backbone)
    log.info("%s: took all %d tensors of the backbone", path, total)


def load_backbone(content: dict[str, Any], path: str, backbone: nn.Module) -> int:
    """Load the backbone of a checkpoint and return how many tensors it has.

    Raises:
        UserError: if the checkpoint has another backbone.
    """
    saved = part_of(content, "backbone.")
    fits, total = fitting(saved, backbone)
    if not fits == total == len(saved):
        raise UserError(
            f"{path} has another backbone ({fits} of {total} tensors fit): use the backbone of "
            "that run."
        )
    own = backbone.state_dict()
    backbone.load_state_dict({key: placed_as(value, own[key]) for key, value in saved.items()})
    return total


def part_of(content: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint whose names begin with `prefix`, without it."""
    state = content["state_dict"]
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def fitting(saved: dict[str, Tensor], part: nn.Module) -> tuple[int, int]:
    """Return how many tensors of `part` have a namesake of their shape, and how many it has."""
    own = part.state_dict()
    fits = sum(k in saved and saved[k].shape == v.shape for k, v in own.items())
    return fits, len(own)
