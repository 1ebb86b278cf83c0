"""Logits and loss of the bilateral-branch network, as formulas."""

from collections.abc import Callable

import torch
from torch import Tensor


def bilateral_logits(
    head: Callable[[Tensor], Tensor],
    conventional: Tensor,
    rebalancing: Tensor,
    alpha: Tensor | float = 0.5,
) -> Tensor:
    """Return z = 2 [alpha f_c ; (1 - alpha) f_r] W^T + b, (N, C).

    alpha = 0.5 is what evaluation uses: [f_c ; f_r] W^T + b.

    Paper: Zhou et al., BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed
    Visual Recognition, CVPR 2020, Eq. 1, with the factor 2 of the authors' code.

    Args:
        head: the classifier of 2 D features, such as `LinearHead(2 * D, C)`.
        conventional: f_c, features of uniformly drawn images, (N, D).
        rebalancing: f_r, features of reversely drawn images, (N, D).
        alpha: in [0, 1], a number or (1,).
    """
    return head(2 * torch.cat([alpha * conventional, (1 - alpha) * rebalancing], dim=1))


def bilateral_loss(of_uniform: Tensor, of_reversed: Tensor, alpha: Tensor | float) -> Tensor:
    """Return alpha loss(z, y_c) + (1 - alpha) loss(z, y_r), of the shape of the losses.

    Paper: Zhou et al., BBN, CVPR 2020, Eq. 2.

    Args:
        of_uniform: the loss of the logits for the labels y_c of the uniform images.
        of_reversed: the loss of the same logits for the labels y_r of the reversed ones.
        alpha: in [0, 1], a number or (1,).
    """
    return alpha * of_uniform + (1 - alpha) * of_reversed
