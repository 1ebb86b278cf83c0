"""What a method may ask of a backbone."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lt_lightning.backbones.view import View
from lt_lightning.errors import UserError


class Backbone(nn.Module, ABC):
    """Images (N, 3, H, W) to features (N, D); D is `out_features`."""

    out_features: int

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Return the features, (N, D)."""

    @classmethod
    def asked_view(cls, **options: Any) -> View | None:
        """Return how a network that is made with `options` wants its images; none is any way."""
        return None

    @classmethod
    def option(cls, name: str, options: Mapping[str, Any]) -> Any:
        """Return one of the options of a network, that of its constructor where it is not given."""
        return options[name] if name in options else inspect.signature(cls).parameters[name].default

    def maps(self, images: Tensor) -> Tensor:
        """Return the maps whose mean over height and width is the features, (N, D, h, w).

        Raises:
            UserError: if the features are no such mean.
        """
        raise UserError(
            f"{type(self).__name__} has no class-activation maps, for its features are no mean "
            "over one set of maps: use a run with ResNetCIFAR or TorchvisionResNet."
        )


class BilateralBackbone(Backbone):
    """A shared trunk with two last blocks: conventional and re-balancing.

    `out_features` is 2 D: evaluation uses both features, concatenated.
    """

    @abstractmethod
    def shared(self, images: Tensor) -> Tensor:
        """Return the feature maps of the shared trunk."""

    @abstractmethod
    def conventional(self, maps: Tensor) -> Tensor:
        """Return the features of the conventional branch, (N, D)."""

    @abstractmethod
    def rebalancing(self, maps: Tensor) -> Tensor:
        """Return the features of the re-balancing branch, (N, D)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return both features of the same images, (N, 2 D), from one pass of the trunk."""
        maps = self.shared(images)
        return torch.cat([self.conventional(maps), self.rebalancing(maps)], dim=1)
