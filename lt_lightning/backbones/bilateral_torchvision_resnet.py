"""torchvision's ResNets with two last blocks."""

import copy
from typing import Any

from torch import Tensor, nn

from lt_lightning.backbones.base import BilateralBackbone
from lt_lightning.backbones.torchvision_networks import make, view_of
from lt_lightning.backbones.torchvision_resnet import RESNETS
from lt_lightning.backbones.view import View


class BilateralTorchvisionResNet(BilateralBackbone):
    """A torchvision ResNet whose last block of layer4 exists twice; 2 x D features.

    Paper: Zhou et al., BBN, CVPR 2020, section 4.2 (ResNet-50 for iNaturalist).

    Args:
        name: torchvision's name, such as "resnet50".
        weights: torchvision's name of pre-trained weights ("DEFAULT"), fetched, or a .pth or
            .safetensors file; both branches then start from the same last block. None is random,
            drawn for each branch.
    """

    def __init__(self, name: str = "resnet50", weights: str | None = None) -> None:
        super().__init__()
        network, features = make(name, weights, RESNETS)
        blocks = list(network.layer4)
        self.trunk = nn.Sequential(
            network.conv1,
            network.bn1,
            network.relu,
            network.maxpool,
            network.layer1,
            network.layer2,
            network.layer3,
            *blocks[:-1],
        )
        self.block_conventional = blocks[-1]
        self.block_rebalancing = copy.deepcopy(blocks[-1])
        if weights is None:
            for part in self.block_rebalancing.modules():
                if isinstance(part, nn.Conv2d):
                    nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        self.out_features = 2 * features

    @classmethod
    def asked_view(cls, **options: Any) -> View | None:
        """Return how the weights want their images."""
        return view_of(cls.option("name", options), options.get("weights"))

    def shared(self, images: Tensor) -> Tensor:
        """Return the maps before the last block."""
        maps: Tensor = self.trunk(images)
        return maps

    def conventional(self, maps: Tensor) -> Tensor:
        """Return f_c, (N, D)."""
        features: Tensor = self.block_conventional(maps).mean(dim=(2, 3))
        return features

    def rebalancing(self, maps: Tensor) -> Tensor:
        """Return f_r, (N, D)."""
        features: Tensor = self.block_rebalancing(maps).mean(dim=(2, 3))
        return features
