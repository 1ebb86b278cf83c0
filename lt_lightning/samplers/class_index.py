"""Where the images of each class are."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import Labels, check_labels


class ClassIndex:
    """The images of each class, built once from labels.

    Added images, such as `lt cam` makes, are in `with_added` only.

    Attributes:
        order: image indices sorted by class, ascending within a class, int64 (N,).
        start: where each class begins in `order`, int64 (C,).
        counts: images per class, int64 (C,).

    Args:
        labels: (N,), each in 0..C-1; a tensor, an array or a list.
        num_classes: C; none is the largest label plus one.
        added: how many of the labels, at their end, are those of added images.

    Raises:
        UserError: if a class has no image, or a label is no class; the message names it.
    """

    def __init__(self, labels: Labels, num_classes: int | None = None, added: int = 0) -> None:
        every = check_labels(labels)
        self._with_added = ClassIndex(every, num_classes) if added else None
        original = every[: len(every) - added]
        self.counts = torch.bincount(original, minlength=num_classes or 0)
        if num_classes is not None and len(self.counts) > num_classes:
            raise UserError(
                f"The labels go up to {len(self.counts) - 1} but there are {num_classes} classes: "
                "give labels from 0 on, and all classes."
            )
        if bool((self.counts == 0).any()) or len(self.counts) == 0:
            empty = (self.counts == 0).nonzero().flatten().tolist()
            raise UserError(
                f"The classes {empty[:10]} have no training image, so none can be drawn: add "
                "images, or leave these classes out."
            )
        self.order = torch.argsort(original, stable=True)
        self.start = self.counts.cumsum(0) - self.counts

    def __len__(self) -> int:
        return len(self.order)

    @property
    def with_added(self) -> "ClassIndex":
        """The same index with the added images in it."""
        return self if self._with_added is None else self._with_added

    def members(self, c: int) -> Tensor:
        """Return the image indices of class `c`, ascending."""
        return self.order[self.start[c] : self.start[c] + self.counts[c]]
