"""torchvision's ResNets for larger images."""

from typing import Any

from torch import Tensor

from lt_lightning.backbones.base import Backbone
from lt_lightning.backbones.torchvision_networks import make, view_of
from lt_lightning.backbones.view import View

RESNETS = "*resne*"  # the names of ResNets and ResNeXts


class TorchvisionResNet(Backbone):
    """A torchvision ResNet or ResNeXt without its classifier.

    Paper: He et al., Deep Residual Learning, CVPR 2016; Xie et al., ResNeXt, CVPR 2017.

    Args:
        name: torchvision's name, such as "resnet18", "resnet50", "resnext50_32x4d".
        weights: torchvision's name of pre-trained weights ("DEFAULT"), fetched, or a .pth or
            .safetensors file; none is random. A checkpoint holds them: what is built from one
            asks for neither.

    Raises:
        UserError: if there is no such network, or its weights cannot be had or do not fit.
    """

    def __init__(self, name: str = "resnet50", weights: str | None = None) -> None:
        super().__init__()
        self.network, self.out_features = make(name, weights, RESNETS)

    @classmethod
    def asked_view(cls, **options: Any) -> View | None:
        """Return how the weights want their images."""
        return view_of(cls.option("name", options), options.get("weights"))

    def maps(self, images: Tensor) -> Tensor:
        """Return the maps before global average pooling, (N, D, H / 32, W / 32)."""
        network = self.network
        maps: Tensor = network.maxpool(network.relu(network.bn1(network.conv1(images))))
        for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
            maps = layer(maps)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Return the features after global average pooling, (N, D)."""
        features: Tensor = self.network(images)
        return features
