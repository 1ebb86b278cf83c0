"""Any classifier of torchvision, without its last layer."""

from typing import Any

from torch import nn

from lt_lightning.backbones.positions import resample
from lt_lightning.backbones.sized import SizedBackbone
from lt_lightning.backbones.torchvision_networks import make, view_of
from lt_lightning.backbones.view import View
from lt_lightning.errors import UserError


class TorchvisionBackbone(SizedBackbone):
    """A classifier of torchvision by its name, without its last layer: ConvNeXt, ViT, Swin ...

    Paper: that of the network; see torchvision's documentation.

    Args:
        name: torchvision's name, such as "convnext_tiny", "efficientnet_b0", "vit_b_16".
        weights: torchvision's name of pre-trained weights ("DEFAULT"), fetched, or a .pth or
            .safetensors file; none is random. A checkpoint holds them: what is built from one
            asks for neither.
        image_size: width and height in pixels that a ViT is made for; none is that of the
            weights. Its positions are interpolated. Other networks take images of any size.

    Raises:
        UserError: if there is no such network, its weights cannot be had or do not fit, or it
            cannot be made for this size.
    """

    def __init__(
        self,
        name: str = "convnext_tiny",
        weights: str | None = None,
        image_size: int | None = None,
    ) -> None:
        super().__init__()
        if name.startswith("vit_") and image_size is not None:
            _check_patches(name, image_size)
        self.network, self.out_features = make(name, weights, image_size=image_size)
        self.name, self.side = name, _side(self.network)
        if image_size is not None and self.side not in (None, image_size):
            self._resize(image_size)

    @classmethod
    def asked_view(cls, **options: Any) -> View | None:
        """Return how the weights want their images; `image_size` wins over theirs."""
        found = view_of(cls.option("name", options), options.get("weights"))
        return found.resized(options.get("image_size"))

    def _resize(self, image_size: int) -> None:
        """Interpolate the positions of fetched weights."""
        from torchvision.models import VisionTransformer

        network = self.network
        if not isinstance(network, VisionTransformer):
            raise UserError(
                f"image_size of {self.name} is {image_size}: it takes {self.side} only."
            )
        old = network.encoder.pos_embedding
        length = (image_size // network.patch_size) ** 2 + 1
        network.encoder.pos_embedding = nn.Parameter(resample(old.detach(), length))
        network.image_size, network.seq_length = image_size, length
        self.side = image_size


def _check_patches(name: str, image_size: int) -> None:
    """Refuse a size that is no whole number of patches, such as 16 of vit_b_16."""
    patch = int(name.rsplit("_", 1)[-1])
    if image_size < patch or image_size % patch:
        raise UserError(f"image_size of {name} is {image_size}: give a multiple of {patch}.")


def _side(network: nn.Module) -> int | None:
    """Return the only size of images that a network takes; none is any."""
    from torchvision.models import MaxVit, VisionTransformer

    if isinstance(network, VisionTransformer):
        return int(network.image_size)
    return 224 if isinstance(network, MaxVit) else None  # it keeps no number of its own
