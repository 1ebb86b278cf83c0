"""What one image costs a network, counted by PyTorch."""

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from lt_lightning.engine.evaluated import EvaluatedModule


def multiply_adds(module: EvaluatedModule, image: Tensor) -> int:
    """Return the multiply-adds of one image through the network, as it predicts.

    Those of convolutions, matrix products and attention; half the floating-point operations that
    `FlopCounterMode` counts. Norms, activations and pooling are left out, as they mostly are.

    Args:
        module: in evaluation mode.
        image: (1, channels, height, width), on its device.
    """
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), image.dtype)
    counter = FlopCounterMode(display=False)
    # A compiled network would be compiled once more, for this one image.
    with torch.no_grad(), torch.compiler.set_stance("force_eager"), counter:
        module.predict_logits(image.to(dtype))
    return int(counter.get_total_flops()) // 2
