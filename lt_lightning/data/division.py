"""A test split that is taken from images which have none."""

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.group_choice import choose_groups
from lt_lightning.data.groups import Grouped, numbered, of_images, tell_groups
from lt_lightning.data.picture_files import Labelled
from lt_lightning.data.some_classes import some_of
from lt_lightning.errors import UserError

_MOST = 2**31 - 1


class Division:
    """How a test split is made: a share of each class, or some images of each.

    Whole groups are taken where the groups of the images are known.

    Args:
        fraction: of each class, in (0, 1); one image at least of each class that has two.
        per_class: images of each class, 1 to 2,147,483,647.
        seed: which of them, 0 to 2,147,483,647.

    Raises:
        UserError: if a number is out of its range, or both are given.
    """

    def __init__(self, fraction: float | None, per_class: int | None, seed: int) -> None:
        if fraction is not None and not 0 < fraction < 1:
            raise UserError(f"test_fraction is {fraction}: give a number between 0 and 1.")
        if per_class is not None and not 1 <= per_class <= _MOST:
            raise UserError(f"test_per_class is {per_class}: give 1 to {_MOST:,}.")
        if fraction is not None and per_class is not None:
            raise UserError(
                f"test_fraction is {fraction} and test_per_class is {per_class}: give one of them."
            )
        if not 0 <= seed <= _MOST:
            raise UserError(f"split_seed is {seed}: give 0 to {_MOST:,}.")
        self.fraction, self.per_class, self.seed = fraction, per_class, seed

    @property
    def asked(self) -> bool:
        """Whether a test split is to be made."""
        return bool(self.told)

    @property
    def told(self) -> str:
        """What was asked for, by the name of its option; empty where nothing was."""
        if self.fraction is not None:
            return f"test_fraction {self.fraction}"
        return "" if self.per_class is None else f"test_per_class {self.per_class}"

    def of(self, files: Labelled, names: list[str]) -> tuple[Labelled, Labelled]:
        """Return training and test images, each in the order of the files.

        Raises:
            UserError: if `per_class` leaves a class without a training image, or no image can be
                taken at all.
        """
        labels = torch.tensor(files.labels)
        wanted = self._wanted(torch.bincount(labels, minlength=len(names)), names)
        test = torch.zeros(len(files), dtype=torch.bool)
        if files.groups is None:
            test[self._images(labels, wanted)] = True
        else:
            grouped = Grouped(labels, numbered(files.groups))
            test[choose_groups(grouped, wanted, self.seed)] = True
            tell_groups(labels[~test], labels[test], names, "The test split")
        if not bool(test.any()):
            raise UserError(
                f"{self.told} takes no image of {of_images(labels, files.groups)}: every class "
                "must keep one for training; add images, or give test images of their own."
            )
        train, tested = (part.nonzero().flatten().tolist() for part in (~test, test))
        return files.take(train), files.take(tested)

    def _wanted(self, available: Tensor, names: list[str]) -> Tensor:
        most = (available - 1).clamp_min(0)
        if self.per_class is None:
            # Python rounds halves to even, as the share of a class always was.
            shares = [round(n * (self.fraction or 0.0)) for n in available.tolist()]
            return torch.minimum(torch.tensor(shares).clamp_min(1), most)
        short = (most < self.per_class).nonzero().flatten().tolist()
        if short:
            raise UserError(
                f"test_per_class {self.per_class} leaves no training image for {len(short)} "
                f"classes ({some_of(short, names)}): give a smaller number, or test_fraction."
            )
        return torch.full_like(available, self.per_class)

    def _images(self, labels: Tensor, wanted: Tensor) -> Tensor:
        rng, target = np.random.default_rng(self.seed), labels.numpy()
        chosen = [
            rng.permutation(np.flatnonzero(target == c))[: int(wanted[c])]
            for c in np.unique(target)
        ]
        return torch.from_numpy(np.concatenate(chosen))
