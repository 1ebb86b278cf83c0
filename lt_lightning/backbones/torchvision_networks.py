"""torchvision's classifiers: made by name, with weights, without their last layer."""

from typing import Any

from torch import nn

from lt_lightning.backbones.view import View
from lt_lightning.backbones.weight_files import is_file
from lt_lightning.backbones.weights import from_hub, take_weights
from lt_lightning.errors import UserError

_CLASSES = 1000  # of the classifier that is taken away
# These give a tuple in training, unless they are asked not to; and warn of a slow first draw.
_NO_TUPLE = {"aux_logits": False, "init_weights": False}
_OPTIONS: dict[str, dict[str, Any]] = {"googlenet": _NO_TUPLE, "inception_v3": _NO_TUPLE}


def make(
    name: str, weights: str | None, names: str = "*", image_size: int | None = None
) -> tuple[Any, int]:
    """Return a network without its classifier, and the width of its features.

    Args:
        name: torchvision's name.
        weights: torchvision's name of weights, or a file; none is random.
        names: the pattern that `name` must have.
        image_size: that a ViT is made for; fetched weights come with their own size.

    Raises:
        UserError: if there is no such network, or its weights cannot be had or do not fit.
    """
    from torchvision import models

    # Of the module of classifiers only: making a detector downloads its backbone.
    known = models.list_models(module=models, include=names)
    if name not in known:
        raise UserError(f"backbone name is {name!r}: give one of {', '.join(known)}.")
    fetched = from_hub(weights)
    network = _fetch(name, fetched) if fetched else _build(name, weights, image_size)
    path, width = _head(network)
    network.set_submodule(path, nn.Identity())
    take_weights(network, weights)
    return network, width


def _fetch(name: str, weights: str) -> Any:
    from torchvision import models

    try:
        return models.get_model(name, weights=weights)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(
            f"The weights {weights!r} of {name} cannot be had "
            f"({type(error).__name__}): give DEFAULT with a network connection, a file, or none."
        ) from error


def _build(name: str, weights: str | None, image_size: int | None) -> Any:
    """Return a network without weights, of the form that it has with them."""
    from torchvision import models

    options = dict(_OPTIONS.get(name, {}))
    meant = _known(name, weights) if weights else None
    if name in _OPTIONS and meant is not None:
        options["transform_input"] = True
    if name.startswith("vit_"):
        native = 224 if meant is None else meant.meta["min_size"][0]
        options["image_size"] = image_size or native
    return models.get_model(name, weights=None, **options)


def _known(name: str, weights: str) -> Any:
    """Return what torchvision tells of weights, without fetching them; none where it has none.

    A file has the default ones of its network, for it tells nothing itself.
    """
    from torchvision import models

    found = models.get_model_weights(name).__members__
    return found.get("DEFAULT" if is_file(weights) else weights)


def _head(network: nn.Module) -> tuple[str, int]:
    """Return the name and the width of the layer that gives the classes, the last one."""
    found = ("", 0)
    for name, part in network.named_modules():
        if isinstance(part, nn.Linear) and part.out_features == _CLASSES:
            found = name, part.in_features
        elif isinstance(part, nn.Conv2d) and part.out_channels == _CLASSES:
            found = name, part.in_channels
    return found


def view_of(name: str, weights: str | None) -> View:
    """Return how the weights of a network want their images; those of a file as the default ones.

    What there is not is refused, in words, where the network is made.
    """
    from torchvision import models

    if weights is None or name not in models.list_models(module=models):
        return View()
    found = _known(name, weights)
    if found is None:
        return View()
    shown = found.transforms()
    return View(tuple(shown.mean), tuple(shown.std), int(shown.crop_size[0]))
