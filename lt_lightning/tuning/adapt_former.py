"""AdaptFormer: small networks beside the MLPs of a frozen ViT."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.tuning.base import Tuning

_MLP = "mlp"  # of a block, in timm and in torchvision


class Adapter(nn.Module):
    """s W_up ReLU(W_down LN(x)); 0 at the start.

    Args:
        width: of x.
        bottleneck: rows of W_down.
    """

    def __init__(self, width: int, bottleneck: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.down, self.up = nn.Linear(width, bottleneck), nn.Linear(bottleneck, width)
        self.scale = nn.Parameter(torch.ones(1))
        nn.init.kaiming_normal_(self.down.weight, a=math.sqrt(5))
        for start in (self.up.weight, self.up.bias, self.down.bias):
            nn.init.zeros_(start)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what is added to the output of the MLP."""
        added: Tensor = self.scale * self.up(self.down(self.norm(tokens)).relu())
        return added


class Beside(nn.Module):
    """mlp(x) + adapter(x).

    Args:
        mlp: frozen.
        adapter: trained.
    """

    def __init__(self, mlp: nn.Module, adapter: Adapter) -> None:
        super().__init__()
        self.mlp, self.adapter = mlp, adapter

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the sum of both."""
        both: Tensor = self.mlp(tokens) + self.adapter(tokens)
        return both


class AdaptFormer(Tuning):
    """A frozen ViT with a small trained network beside the MLP of each block.

    x + MLP(x') + s W_up ReLU(W_down LN(x')), x' the normalised input of the MLP.
    At the start nothing is added: the features are those of the weights.

    Paper: Chen et al., AdaptFormer, NeurIPS 2022; for long tails: Shi et al., LIFT, ICML 2024.

    Differs from the authors' code in that the adapter reads the input of the MLP, which the block
    has normalised, and not that of the block.

    Args:
        bottleneck: rows of W_down; none is LIFT's, the power of 2 at or below C / (2 blocks), so
            that the adapters have about as many parameters as the classifier.

    Raises:
        UserError: if it is below 1; later, if the backbone has no blocks with an MLP.
    """

    adds = True

    def __init__(self, bottleneck: int | None = None) -> None:
        if bottleneck is not None and bottleneck < 1:
            raise UserError(f"bottleneck is {bottleneck}: give 1 or more.")
        self.bottleneck = bottleneck

    def prepare(self, backbone: nn.Module, num_classes: int) -> None:
        """Freeze the backbone and add the adapters."""
        blocks = [part for part in backbone.modules() if _MLP in dict(part.named_children())]
        if not blocks:
            raise UserError(
                "AdaptFormer needs a backbone of transformer blocks with an MLP: give a ViT, such "
                "as --model.backbone TimmBackbone --model.backbone.name vit_base_patch16_224."
            )
        backbone.requires_grad_(False)
        rows = self.bottleneck or lift_bottleneck(num_classes, len(blocks))
        for block in blocks:
            mlp: Any = block.get_submodule(_MLP)
            first = next((part for part in mlp.modules() if isinstance(part, nn.Linear)), None)
            if first is None:
                raise UserError(
                    f"AdaptFormer needs MLPs of linear layers, and {type(mlp).__name__} of the "
                    "backbone has none: give a ViT."
                )
            block.add_module(_MLP, Beside(mlp, Adapter(first.in_features, rows)))


def lift_bottleneck(num_classes: int, blocks: int) -> int:
    """Return the width of LIFT's adapters: 2^floor(log2(C / (2 blocks))), at least 1."""
    return int(2 ** max(0, math.floor(math.log2(num_classes / (2 * blocks)))))
