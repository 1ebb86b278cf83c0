"""Which images are trained on and which are held out."""

import hashlib

import torch
from torch import Tensor

from lt_lightning.data.holdout import Holdout
from lt_lightning.data.profiles import Profile, choose_images


class Subset:
    """A profile and a held-out part, in either order.

    Args:
        profile: which part of each class is kept.
        holdout: which part is held out; none is no part.
        seed: which images the profile keeps.
    """

    def __init__(self, profile: Profile, holdout: Holdout | None, seed: int) -> None:
        self.profile, self.holdout, self.seed = profile, holdout, seed

    def plan(self, available: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return images per class, each int64 (C,): trained on, kept by the profile, held out."""
        held = torch.zeros_like(available)
        if self.holdout is not None and self.holdout.when == "before":
            held = self.holdout.counts(available)
        kept = self.profile(available - held)
        if self.holdout is not None and self.holdout.when == "after":
            held = self.holdout.counts(kept)
            return kept - held, kept, held
        return kept, kept, held

    def short(self, available: Tensor) -> Tensor:
        """Return which classes lack more than a tenth of what the profile asks for, bool (C,)."""
        _, _, held = self.plan(available)
        before = self.holdout is not None and self.holdout.when == "before"
        return self.profile.short(available - held if before else available)

    def choose(self, labels: Tensor, available: Tensor) -> tuple[Tensor, Tensor]:
        """Return the indices of the images trained on and of the held-out ones."""
        _, kept, held = self.plan(available)
        everything = torch.arange(len(labels))
        if self.holdout is None:
            return choose_images(labels, kept, self.seed), everything[:0]
        if self.holdout.when == "before":
            out = choose_images(labels, held, self.holdout.seed)
            rest = everything[~torch.isin(everything, out)]
            return rest[choose_images(labels[rest], kept, self.seed)], out
        chosen = choose_images(labels, kept, self.seed)
        out = chosen[choose_images(labels[chosen], held, self.holdout.seed)]
        return chosen[~torch.isin(chosen, out)], out


def fingerprint(train: Tensor, held: Tensor, identity: bytes) -> str:
    """Return 16 hexadecimal digits that tell one choice of images from another.

    Args:
        train: indices of the images trained on, in order.
        held: indices of the held-out images.
        identity: what the indices count, where the class of the source does not say it.
    """
    parts = [train.numpy().tobytes()]
    if len(held):
        parts.append(b"held out" + held.numpy().tobytes())
    return hashlib.sha256(b"".join([*parts, identity])).hexdigest()[:16]
