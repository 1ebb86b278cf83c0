"""Pre-trained weights that a network takes over; every tensor of both is accounted for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor, nn

from lt_lightning.backbones.positions import fitted
from lt_lightning.backbones.weight_files import is_file, read_weights
from lt_lightning.errors import UserError
from lt_lightning.home import home

log = logging.getLogger(__name__)
_left_out: ContextVar[bool] = ContextVar("left_out", default=False)
_noted: ContextVar[list[str] | None] = ContextVar("noted", default=None)
_SHOWN = 3  # names in a sentence


@contextmanager
def without_weights() -> Iterator[None]:
    """Build networks without their pre-trained weights, as a checkpoint brings all of them.

    Nothing is fetched or read inside, so a finished run needs neither a network nor the file.
    """
    token = _left_out.set(True)
    try:
        yield
    finally:
        _left_out.reset(token)


@contextmanager
def files_noted() -> Iterator[list[str]]:
    """Note the files that networks which are built inside take weights from."""
    found: list[str] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def wanted(weights: str | None) -> str | None:
    """Return `weights`, or none where a checkpoint brings them.

    Raises:
        UserError: if they are an empty text, which a shell makes of a variable that was not set.
    """
    if weights == "":
        raise UserError("weights is '': give a name or a file, or null for none.")
    return None if _left_out.get() else weights


def from_hub(weights: str | None) -> str | None:
    """Return the name of weights to be fetched now; none where there are none, or a file."""
    now = wanted(weights)
    return None if now is None or is_file(now) else now


@dataclass(frozen=True)
class Taken:
    """What a network took from a file.

    Args:
        count: its tensors, all of which were taken.
        total: the tensors of the file.
        left: those of the file that belong to no part of the network, such as its classifier.
        by_order: whether their places were found by order, for the names are others.
    """

    count: int
    total: int
    left: tuple[str, ...]
    by_order: bool = False

    def __str__(self) -> str:
        how = " by their order, for the file has other names" if self.by_order else ""
        rest = f"; left out: {_some(self.left)}" if self.left else ""
        return f"took {self.count} of {self.total} tensors{how}{rest}"


def take_weights(network: nn.Module, weights: str | None) -> None:
    """Load a file of weights into `network`, whose classifier is gone; names of hubs are passed by.

    Prefixes of the names (module., backbone.) are dropped, whatever they are.

    Raises:
        UserError: if the file cannot be read, or not all of the network but its classifier fits.
    """
    now = wanted(weights)
    if now is None or not is_file(now):
        return
    saved = read_weights(now)
    log.info("%s: %s", now, load_matched(network, saved, now))
    noted = _noted.get()
    if noted is not None:
        noted.append(str(home(now)))


def load_matched(network: nn.Module, saved: dict[str, Tensor], path: str) -> Taken:
    """Load `saved` into all of `network`.

    Raises:
        UserError: if a tensor of the network is missing or has another shape, or if the file has
            layers that the network has not.
    """
    own = {k: v for k, v in network.state_dict().items() if not _is_counter(k)}
    prefix = _prefix(saved, own)
    below = {k.removeprefix(prefix): v for k, v in saved.items() if k.startswith(prefix)}
    below = fitted(below, own)
    fits = [k for k, v in own.items() if k in below and below[k].shape == v.shape]
    chosen, by_order = {k: below[k] for k in fits}, False
    if not fits:
        chosen = _by_order(below, own)
        by_order = bool(chosen)
    if len(chosen) < len(own):
        raise UserError(_misfit(path, own, below, fits, type(network).__name__))
    left = [] if by_order else [k for k in below if k not in own and not _is_counter(k)]
    strange = [name for name in left if _has_state_above(network, name)]
    if strange:
        raise UserError(
            f"{path} has layers that {type(network).__name__} has not ({_some(strange)}): give the "
            "name of the network that the weights are of."
        )
    network.load_state_dict(chosen, strict=False)  # without the counters of batch norm
    total = sum(not _is_counter(k) for k in below)
    if by_order:
        left = [k for k in below if not _is_counter(k)][len(own) :]
    return Taken(len(own), total, tuple(left), by_order)


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")  # unused, and old files have none


def _prefix(saved: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    """Return the beginning of names without which most tensors have a place; short before long."""
    found = {""}
    for name in saved:
        parts = name.split(".")
        found |= {".".join(parts[:n]) + "." for n in range(1, len(parts))}

    def places(prefix: str) -> int:
        names = (prefix + k for k in own)
        return sum(k in saved and saved[k].shape == own[k[len(prefix) :]].shape for k in names)

    return max(sorted(found, key=lambda prefix: (len(prefix), prefix)), key=places)


def _by_order(below: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors in the order of `own`, where kinds and shapes agree from first to last.

    What is left over must be one layer at most, the classifier.
    """
    theirs = [(k, v) for k, v in below.items() if not _is_counter(k)]
    alike = all(
        k.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1] and v.shape == value.shape
        for (k, v), (name, value) in zip(theirs, own.items(), strict=False)
    )
    if not alike or not len(own) <= len(theirs) <= len(own) + 2:
        return {}
    return {name: v for name, (_, v) in zip(own, theirs, strict=False)}


def _has_state_above(network: nn.Module, name: str) -> bool:
    """Return whether the deepest part of the network that `name` is below has tensors itself."""
    part = network
    for child in name.split(".")[:-1]:
        below = dict(part.named_children())
        if child not in below:
            break
        part = below[child]
    return part is not network and bool(part.state_dict())


def _misfit(
    path: str, own: dict[str, Tensor], below: dict[str, Tensor], fits: list[str], network: str
) -> str:
    other = next(k for k in own if k not in fits)
    have = f"is {tuple(below[other].shape)} in the file" if other in below else "is not in the file"
    return (
        f"{path} does not fit {network}: {len(fits)} of its {len(own)} tensors are there, but "
        f"{other} {tuple(own[other].shape)} {have}: give the weights of this network, or its name."
    )


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
