"""Any network of timm, without its classifier."""

from functools import partial
from typing import Any

from lt_lightning.backbones.sized import SizedBackbone
from lt_lightning.backbones.view import View
from lt_lightning.backbones.weights import from_hub, take_weights
from lt_lightning.errors import UserError
from lt_lightning.nearest import nearest

_DEFAULT = "DEFAULT"


class TimmBackbone(SizedBackbone):
    """A network of timm by its name, without its classifier; `pip install 'lt_lightning[timm]'`.

    Paper: that of the network; see timm's documentation.

    Args:
        name: timm's name, such as "vit_base_patch16_224.augreg_in21k"; the part behind the dot
            says which weights.
        weights: "DEFAULT" fetches those of the name from the Hugging Face hub; or a .pth or
            .safetensors file; none is random. A checkpoint holds them: what is built from one
            asks for neither.
        image_size: width and height in pixels that the network is made for, where it is made for
            one size (ViT, Swin); none is that of the weights. Positions are interpolated.
        gradient_checkpointing: keep less of the forward pass and compute it again in the backward
            pass: less memory, about a third more time, the same numbers.

    Raises:
        UserError: if timm is not there, knows no such network, its weights cannot be had or do
            not fit, or it cannot do what is asked for.
    """

    def __init__(
        self,
        name: str = "vit_small_patch16_224",
        weights: str | None = None,
        image_size: int | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.name, self.network = name, _make(name, weights, image_size)
        self.out_features = _width(self.network)
        facts = self.network.pretrained_cfg
        self.side = int(facts["input_size"][-1]) if facts.get("fixed_input_size") else None
        if image_size is not None and self.side not in (None, image_size):
            self._resize(image_size, weights)
        if gradient_checkpointing:
            self._checkpoint()

    @classmethod
    def asked_view(cls, **options: Any) -> View | None:
        """Return how the weights want their images; `image_size` wins over theirs."""
        name = cls.option("name", options)
        facts = _timm().get_pretrained_cfg(_known(name)) if options.get("weights") else None
        if facts is None:
            return View().resized(options.get("image_size"))
        found = View(tuple(facts.mean), tuple(facts.std), int(facts.input_size[-1]))
        return found.resized(options.get("image_size"))

    def _resize(self, image_size: int, weights: str | None) -> None:
        try:
            if from_hub(weights):  # else it was made so
                self.network.set_input_size(img_size=image_size)
        except (AttributeError, AssertionError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{self.name} cannot be made for an image_size of {image_size}: leave it out, "
                f"which is {self.side}."
            ) from error
        self.side = image_size

    def _checkpoint(self) -> None:
        try:
            self.network.set_grad_checkpointing(True)
        except (AttributeError, AssertionError) as error:
            raise UserError(
                f"{self.name} has no gradient checkpointing: leave out "
                "--model.backbone.gradient_checkpointing."
            ) from error


def _width(network: Any) -> int:
    """Return the width of the features; some networks widen them behind their maps."""
    # timm's networks share no base, and only some have the width behind their maps.
    return int(getattr(network, "head_hidden_size", network.num_features))


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise UserError(
            "TimmBackbone needs the package timm: pip install 'lt_lightning[timm]'."
        ) from error
    return timm


def _known(name: str) -> str:
    """Return the name, if timm has such a network."""
    timm = _timm()
    if not timm.is_model(name):
        near = nearest(name.split(".")[0], timm.list_models())
        meant = f", {near} for example" if near else ""
        raise UserError(f"backbone name is {name!r}: give one of timm.list_models(){meant}.")
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        tags = ", ".join(timm.list_pretrained(f"{name.split('.')[0]}.*")) or name.split(".")[0]
        raise UserError(
            f"backbone name is {name!r}, of which timm has no weights: give {tags}."
        ) from error
    return name


def _make(name: str, weights: str | None, image_size: int | None) -> Any:
    hub = from_hub(weights)
    if hub not in (None, _DEFAULT):
        raise UserError(
            f"weights of {name} is {hub!r}: give {_DEFAULT}, a .pth or .safetensors file, or none."
        )
    make = partial(_timm().create_model, _known(name), num_classes=0)
    if hub is None:
        network = make(**_size(name, image_size))
        take_weights(network, weights)
        return network
    try:
        return make(pretrained=True)
    except Exception as error:  # of the hub, of its client, of the connection: dozens of kinds
        raise UserError(
            f"The weights {hub!r} of {name} cannot be had ({type(error).__name__}): give them with "
            "a network connection, a file, or none."
        ) from error


def _size(name: str, image_size: int | None) -> dict[str, int]:
    """Return what makes the network for a size, where it is made for one."""
    facts = _timm().get_pretrained_cfg(name)
    fixed = image_size is not None and facts is not None and facts.fixed_input_size
    return {"img_size": image_size} if fixed and image_size else {}
