"""What the networks of other packages share: a name, and perhaps only one size of images."""

from typing import Any

from torch import Tensor

from lt_lightning.backbones.base import Backbone
from lt_lightning.errors import UserError


class SizedBackbone(Backbone):
    """A network without its classifier, which may be made for images of one size only.

    Attributes:
        name: of the network, for messages.
        network: from images (N, 3, H, W) to features (N, D).
        side: width and height in pixels that it is made for; none is any.
    """

    name: str
    network: Any
    side: int | None

    def forward(self, images: Tensor) -> Tensor:
        """Return what the classifier would see, (N, D).

        Raises:
            UserError: if the network is made for images of another size.
        """
        height, width = images.shape[-2:]
        if self.side is not None and (height, width) != (self.side, self.side):
            raise UserError(
                f"{self.name} is made for images of {self.side} pixels and got {height}x{width}: "
                f"give --data.source.image_size {self.side}, or --model.backbone.image_size "
                f"{height} where the network can be made for it."
            )
        features: Tensor = self.network(images)
        return features
