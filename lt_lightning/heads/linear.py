"""The plain classifier."""

import math
from typing import Literal

from torch import nn

from lt_lightning.errors import UserError


class LinearHead(nn.Linear):
    """Linear classifier z = x W^T + b.

    Paper: the baseline of every table.

    Args:
        in_features: feature width D.
        num_classes: C.
        bias: whether there is a b.
        init: "kaiming" draws W from N(0, 2 / D), as LDAM-DRW and MiSLAS do; "uniform" is
            PyTorch's default, as in BBN and Bag of Tricks.
        bias_init: "pytorch" is PyTorch's default; "sigmoid" starts b at -log(C - 1), where the
            sigmoid of each class is about 1 / C, for `SigmoidFocal` as Cui et al. train it.

    Raises:
        UserError: if a start of b is asked for where there is no b.
    """

    scale: float | None = None

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        bias: bool = True,
        init: Literal["kaiming", "uniform"] = "kaiming",
        bias_init: Literal["pytorch", "sigmoid"] = "pytorch",
    ) -> None:
        super().__init__(in_features, num_classes, bias=bias)
        if init == "kaiming":
            nn.init.kaiming_normal_(self.weight)
        if bias_init == "sigmoid":
            if not bias:
                raise UserError("bias_init is sigmoid but bias is false: leave out one of them.")
            nn.init.constant_(self.bias, -math.log(max(num_classes - 1, 1)))
