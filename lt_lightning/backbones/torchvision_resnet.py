"""torchvision's ResNets for larger images."""

from typing import Any

from torch import Tensor, nn

from lt_lightning.backbones.base import Backbone
from lt_lightning.errors import UserError


def build(name: str, weights: str | None) -> Any:
    """Return a torchvision ResNet, or say in one sentence why there is none."""
    from torchvision import models

    # Of the module of classifiers only: making a detector downloads its backbone.
    known = models.list_models(module=models, include="*resne*")
    if name not in known:
        raise UserError(f"backbone name is {name!r}: give one of {', '.join(known)}.")
    try:
        network = models.get_model(name, weights=weights)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(
            f"The weights {weights!r} of {name} cannot be had "
            f"({type(error).__name__}): give DEFAULT with a network connection, or none."
        ) from error
    return network


class TorchvisionResNet(Backbone):
    """A torchvision ResNet or ResNeXt without its classifier.

    Paper: He et al., Deep Residual Learning, CVPR 2016; Xie et al., ResNeXt, CVPR 2017.

    Args:
        name: torchvision's name, such as "resnet18", "resnet50", "resnext50_32x4d".
        weights: torchvision's name of pre-trained weights ("DEFAULT"), downloaded; none is random.

    Raises:
        UserError: if there is no such network, or its weights cannot be had.
    """

    def __init__(self, name: str = "resnet50", weights: str | None = None) -> None:
        super().__init__()
        self.network = build(name, weights)
        self.out_features = self.network.fc.in_features
        self.network.fc = nn.Identity()

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
