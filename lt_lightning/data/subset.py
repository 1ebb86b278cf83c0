"""Which images are trained on and which are held out."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from lt_lightning.data.group_choice import choose_groups
from lt_lightning.data.groups import Grouped
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
        self._last: tuple[Grouped, Tensor, int, Tensor] | None = None

    def plan(
        self,
        available: Tensor,
        grouped: Grouped | None = None,
        names: Sequence[str] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return images per class, each int64 (C,): trained on, kept by the profile, held out.

        Args:
            available: images per class, int64 (C,).
            grouped: which images are held out together or not at all; none is each by itself.
            names: of the classes, for messages.
        """
        held = torch.zeros_like(available)
        if self.holdout is not None and self.holdout.when == "before":
            held = self._held(self.holdout, available, grouped, names)
        kept = self.profile(available - held)
        if self.holdout is not None and self.holdout.when == "after":
            if grouped is not None:
                chosen = choose_images(grouped.labels, kept, self.seed)
                grouped = Grouped(grouped.labels[chosen], grouped.groups[chosen])
            held = self._held(self.holdout, kept, grouped, names)
            return kept - held, kept, held
        return kept, kept, held

    def _held(
        self,
        holdout: Holdout,
        available: Tensor,
        grouped: Grouped | None,
        names: Sequence[str] | None,
    ) -> Tensor:
        wanted = holdout.counts(available, names)
        if grouped is None:
            return wanted
        out = self._whole_groups(grouped, wanted, holdout.seed)
        return torch.bincount(grouped.labels[out], minlength=len(available))

    def short(self, available: Tensor, grouped: Grouped | None = None) -> Tensor:
        """Return which classes lack more than a tenth of what the profile asks for, bool (C,)."""
        _, _, held = self.plan(available, grouped)
        before = self.holdout is not None and self.holdout.when == "before"
        return self.profile.short(available - held if before else available)

    def choose(
        self,
        labels: Tensor,
        available: Tensor,
        groups: Tensor | None = None,
        names: Sequence[str] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the indices of the images trained on and of the held-out ones.

        Args:
            labels: int64 (N,).
            available: images per class, int64 (C,).
            groups: number of each image's group, int64 (N,), which is held out whole or not at all.
            names: of the classes, for messages.
        """
        grouped = None if groups is None else Grouped(labels, groups)
        _, kept, _ = self.plan(available, grouped, names)
        everything = torch.arange(len(labels))
        if self.holdout is None:
            return choose_images(labels, kept, self.seed), everything[:0]
        if self.holdout.when == "before":
            out = self._out(self.holdout, everything, labels, available, groups)
            rest = everything[~torch.isin(everything, out)]
            return rest[choose_images(labels[rest], kept, self.seed)], out
        chosen = choose_images(labels, kept, self.seed)
        out = self._out(self.holdout, chosen, labels, kept, groups)
        return chosen[~torch.isin(chosen, out)], out

    def _out(
        self, holdout: Holdout, among: Tensor, labels: Tensor, counts: Tensor, groups: Tensor | None
    ) -> Tensor:
        """Return which of the images `among`, `counts` of each class, are held out."""
        wanted = holdout.counts(counts)
        if groups is None:
            return among[choose_images(labels[among], wanted, holdout.seed)]
        grouped = Grouped(labels[among], groups[among])
        return among[self._whole_groups(grouped, wanted, holdout.seed)]

    def _whole_groups(self, grouped: Grouped, wanted: Tensor, seed: int) -> Tensor:
        """Return what `choose_groups` does; the plan and the choice ask for the same, once."""
        if self._last is not None:
            known, before, its, out = self._last
            pairs = ((known.labels, grouped.labels), (known.groups, grouped.groups))
            same = all(torch.equal(one, other) for one, other in (*pairs, (before, wanted)))
            if same and its == seed:
                return out
        out = choose_groups(grouped, wanted, seed)
        self._last = grouped, wanted, seed, out
        return out


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
