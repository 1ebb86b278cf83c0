"""Which part of the backbone stays as it is in stage 2."""

from collections.abc import Iterator
from typing import Literal

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lt_lightning.errors import UserError

BNMode = Literal["eval", "update_stats", "train_affine"]


class Freezing:
    """A frozen backbone, and what its batch norm does.

    `requires_grad = False` alone leaves batch norm in training mode, so its statistics drift to
    the sampler of stage 2. That is what the official cRT and LWS do, and a choice here.

    Args:
        bn_mode: of frozen layers: "eval" normalises with the statistics of stage 1; "update_stats"
            normalises with those of the batch and moves the running ones; "train_affine" trains
            gamma and beta too.
        trained_from: the first part of the backbone that is trained on, by its name or the path to
            it ("layer4", "blocks.10"); "all" is the whole network, none is nothing.

    Raises:
        UserError: at `apply`, if the backbone has no such child.
    """

    def __init__(self, bn_mode: BNMode, trained_from: str | None = None) -> None:
        self.bn_mode, self.trained_from = bn_mode, trained_from

    def apply(self, backbone: nn.Module) -> None:
        """Choose the parameters that are trained, and set the modes."""
        backbone.requires_grad_(False)
        for part in self.parts(backbone):
            part.requires_grad_(True)
        if self.bn_mode == "train_affine":
            for norm in batch_norms(backbone):
                norm.requires_grad_(True)
        self.set_modes(backbone)

    def set_modes(self, backbone: nn.Module) -> None:
        """Set the modes of a training step; Lightning undoes them after each validation."""
        backbone.eval()
        if self.bn_mode != "eval":
            for norm in batch_norms(backbone):
                norm.train()
        for part in self.parts(backbone):
            part.train()

    def parts(self, backbone: nn.Module) -> list[nn.Module]:
        """Return the parts of the backbone that are trained."""
        if self.trained_from is None:
            return []
        if self.trained_from == "all":
            return [backbone]
        children = list(backbone.named_children())
        # A wrapped network: its own parts are what is meant, not the one part that holds them.
        whole = children[0][1] if len(children) == 1 else backbone
        return _from(whole, self.trained_from, self.trained_from.split("."))


def _from(whole: nn.Module, path: str, names: list[str]) -> list[nn.Module]:
    """Return the part that `names` lead to, and all that come after it."""
    parts = dict(whole.named_children())
    known = list(parts)
    if names[0] not in parts:
        raise UserError(
            f"trained_from is {path!r}: give all, or a part of the backbone: {', '.join(known)}."
        )
    after = [parts[name] for name in known[known.index(names[0]) + 1 :]]
    first = parts[names[0]]
    return [*([first] if len(names) == 1 else _from(first, path, names[1:])), *after]


def batch_norms(backbone: nn.Module) -> Iterator[nn.Module]:
    """Yield the batch norms of a network, of any number of dimensions."""
    return (part for part in backbone.modules() if isinstance(part, _BatchNorm))
