"""The exported network: from pixels to probabilities, in one module."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lt_lightning.engine.predictor import Predictor


class Exported(nn.Module):
    """uint8 pixels (N, size, size, 3) to probabilities (N, C), all that lies between inside.

    Inside are the normalisation, the network, its head, a change without training, and softmax.

    Args:
        run: the finished run.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, run: Predictor) -> None:
        super().__init__()
        self.model = run.model
        # The exporters know no memory layout; the numbers are the same within rounding.
        self.model.memory_format = torch.contiguous_format
        self.model.backbone.to(memory_format=torch.contiguous_format)
        for name, value in (("mean", run.normalize.mean), ("std", run.normalize.std)):
            self.register_buffer(name, torch.tensor(value).view(1, -1, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return probabilities, float32 (N, C)."""
        images = pixels.permute(0, 3, 1, 2).float() / 255
        logits = self.model.predict_logits((images - self.mean) / self.std)
        return F.softmax(logits.float(), dim=1)
