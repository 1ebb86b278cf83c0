"""Where the images of each class are."""

import torch
from torch import Tensor


class ClassIndex:
    """Images sorted by class, built once from labels (N,)."""

    def __init__(self, labels: Tensor, num_classes: int) -> None:
        self.labels = labels
        self.order = torch.argsort(labels, stable=True)
        self.counts = torch.bincount(labels, minlength=num_classes)
        self.start = self.counts.cumsum(0) - self.counts

    def members(self, c: int) -> Tensor:
        """Return the image indices of class c, ascending."""
        return self.order[self.start[c] : self.start[c] + self.counts[c]]
