"""The small ResNet of the CIFAR experiments."""

import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.backbones.base import Backbone
from lt_lightning.errors import UserError


class BasicBlock(nn.Module):
    """conv3x3-BN-ReLU-conv3x3-BN plus shortcut, then ReLU.

    The shortcut has no parameters (option A): every second pixel, and zero channels added on both
    sides where the width grows.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.extra = stride, channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, (N, channels, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride != 1 or self.extra:
            side = self.extra // 2
            x = F.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, side, self.extra - side)
            )
        return F.relu(y + x)


def initialise(module: nn.Module) -> None:
    """Draw every convolution from N(0, 2 / fan_in)."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)


def check_depth(depth: int) -> int:
    """Return the blocks per stage of a CIFAR ResNet, or say which depths there are."""
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise UserError(f"depth is {depth}: a CIFAR ResNet has 6n+2 layers (8, 20, 32, 44, 56).")
    return blocks


class ResNetCIFAR(Backbone):
    """ResNet for 32x32 images: three stages of widths 16, 32, 64; 64 features.

    With a linear head it has 464,154 parameters for 10 classes and 470,004 for 100.

    Paper: He et al., Deep Residual Learning, CVPR 2016, section 4.2; used by LDAM-DRW and others.

    Args:
        depth: layers, 6n+2; 32 is the field's.
        width: channels of the first stage; D is four times as many.

    Raises:
        UserError: if `depth` is not 6n+2 or `width` is below 1.
    """

    def __init__(self, depth: int = 32, width: int = 16) -> None:
        super().__init__()
        blocks = check_depth(depth)
        if width < 1:
            raise UserError(f"width is {width}: give 1 channel or more; 16 is the field's.")
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        stages, channels = [], width
        for number in range(3):
            out, stage = width * 2**number, []
            for block in range(blocks):
                stage.append(BasicBlock(channels, out, 2 if number and not block else 1))
                channels = out
            stages.append(nn.Sequential(*stage))
        self.layer1, self.layer2, self.layer3 = stages
        self.out_features = channels
        initialise(self)

    def maps(self, images: Tensor) -> Tensor:
        """Return the maps before global average pooling, (N, D, H / 4, W / 4)."""
        maps: Tensor = self.layer3(self.layer2(self.layer1(self.stem(images))))
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Return the features after global average pooling, (N, D), non-negative."""
        return self.maps(images).mean(dim=(2, 3))
