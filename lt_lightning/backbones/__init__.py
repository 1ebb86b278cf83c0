"""Networks from images (N, 3, H, W) to features (N, D)."""

from lt_lightning.backbones.base import Backbone, BilateralBackbone
from lt_lightning.backbones.bilateral_resnet_cifar import BilateralResNetCIFAR
from lt_lightning.backbones.bilateral_torchvision_resnet import BilateralTorchvisionResNet
from lt_lightning.backbones.resnet_cifar import ResNetCIFAR
from lt_lightning.backbones.shifted_bn import shift_batch_norm, shifted_statistics
from lt_lightning.backbones.timm_backbone import TimmBackbone
from lt_lightning.backbones.torchvision_backbone import TorchvisionBackbone
from lt_lightning.backbones.torchvision_resnet import TorchvisionResNet
from lt_lightning.backbones.weights import without_weights

__all__ = [
    "Backbone",
    "BilateralBackbone",
    "BilateralResNetCIFAR",
    "BilateralTorchvisionResNet",
    "ResNetCIFAR",
    "TimmBackbone",
    "TorchvisionBackbone",
    "TorchvisionResNet",
    "shift_batch_norm",
    "shifted_statistics",
    "without_weights",
]
