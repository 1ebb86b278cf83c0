"""Shifted batch norm: the statistics follow the draws of stage 2, as formulas."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_LAYERS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def shifted_statistics(
    mean: Tensor, variance: Tensor, batch: Tensor, *, momentum: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance after one batch, each (K,).

    mean <- (1 - m) mean + m mean_B, variance <- (1 - m) variance + m var_B, var_B divided by the
    number of values minus 1, as PyTorch's batch norm has it. gamma and beta stay.

    Paper: Zhong et al., Improving Calibration for Long-Tailed Recognition (MiSLAS), CVPR 2021,
    section 4.2 (shift learning on batch normalisation).

    Args:
        mean: the running mean, (K,).
        variance: the running variance, (K,).
        batch: what enters the layer, (N, K) or (N, K, H, W), with at least two values per channel.
        momentum: m in [0, 1].
    """
    values = batch.transpose(0, 1).flatten(1)
    moved = torch.lerp(mean, values.mean(1), momentum)
    return moved, torch.lerp(variance, values.var(1), momentum)


@torch.no_grad()
def shift_batch_norm(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Move the statistics of all batch norm layers of `network` by `batches`, and nothing else.

    For a loop of your own; `MixupTwoStage` does it in the training steps of stage 2.

    Args:
        network: takes one batch of images; its mode is kept.
        batches: images as they are drawn in stage 2, mostly class-balanced, (N, 3, H, W) each.
    """
    was = network.training
    network.eval()
    for module in network.modules():
        if isinstance(module, _LAYERS):
            module.train()
    for images in batches:
        network(images)
    network.train(was)
