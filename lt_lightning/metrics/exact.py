"""What metrics in whole numbers share: any precision, and processes without an image."""

import torch
from torchmetrics import Metric


class ExactMetric(Metric):
    """A metric whose state keeps its type, and which a process without images takes part in."""

    is_differentiable = False
    full_state_update = False

    @property
    def update_called(self) -> bool:
        """Always true: a process without images is no mistake."""
        return True

    def set_dtype(self, dst_type: str | torch.dtype) -> "ExactMetric":
        """Return self unchanged: the state keeps its type in any precision."""
        return self
