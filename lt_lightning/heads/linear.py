"""The plain classifier."""

from typing import Literal

from torch import nn


class LinearHead(nn.Linear):
    """Linear classifier z = x W^T + b.

    Paper: the baseline of every table.

    Args:
        in_features: feature width D.
        num_classes: C.
        bias: whether there is a b.
        init: "kaiming" draws W from N(0, 2 / D), as LDAM-DRW and MiSLAS do; "uniform" is
            PyTorch's default, as in BBN and Bag of Tricks. b always has PyTorch's default.
    """

    scale: float | None = None

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        bias: bool = True,
        init: Literal["kaiming", "uniform"] = "kaiming",
    ) -> None:
        super().__init__(in_features, num_classes, bias=bias)
        if init == "kaiming":
            nn.init.kaiming_normal_(self.weight)
