"""The CIFAR ResNet with two last blocks."""

from torch import Tensor, nn

from lt_lightning.backbones.base import BilateralBackbone
from lt_lightning.backbones.resnet_cifar import BasicBlock, ResNetCIFAR, initialise


class BilateralResNetCIFAR(BilateralBackbone):
    """CIFAR ResNet whose last block exists twice; 64 + 64 features.

    Everything up to the last block but one is shared; the last block of the third stage exists
    once for the conventional and once for the re-balancing branch, each with its own batch norms.

    Paper: Zhou et al., BBN, CVPR 2020, section 4.2.

    Args:
        depth: layers of the plain network, 6n+2.
        width: channels of the first stage.

    Raises:
        UserError: if `depth` is not 6n+2 or `width` is below 1.
    """

    def __init__(self, depth: int = 32, width: int = 16) -> None:
        super().__init__()
        plain = ResNetCIFAR(depth, width)
        features = plain.out_features
        self.stem, self.layer1, self.layer2 = plain.stem, plain.layer1, plain.layer2
        # At depth 8 the third stage is the split block alone, which then does its stride.
        blocks = list(plain.layer3)
        self.layer3 = nn.Sequential(*blocks[:-1])
        first = (features // 2, features, 2) if len(blocks) == 1 else (features, features, 1)
        self.block_conventional = BasicBlock(*first)
        self.block_rebalancing = BasicBlock(*first)
        self.out_features = 2 * features
        initialise(self)

    def shared(self, images: Tensor) -> Tensor:
        """Return the maps before the last block."""
        maps: Tensor = self.layer3(self.layer2(self.layer1(self.stem(images))))
        return maps

    def conventional(self, maps: Tensor) -> Tensor:
        """Return f_c, (N, D)."""
        features: Tensor = self.block_conventional(maps).mean(dim=(2, 3))
        return features

    def rebalancing(self, maps: Tensor) -> Tensor:
        """Return f_r, (N, D)."""
        features: Tensor = self.block_rebalancing(maps).mean(dim=(2, 3))
        return features
