"""The images are shown as the weights of the backbone ask, where the config leaves it open.

What is filled in stands in config.yaml, as if it had been written there.
"""

import logging
from typing import Any

from jsonargparse import Namespace

from lt_lightning.augment import Normalize
from lt_lightning.backbones import Backbone
from lt_lightning.backbones.view import View
from lt_lightning.runs.class_path import named
from lt_lightning.runs.hints import parameters

log = logging.getLogger("lt_lightning")
_SIZE = "image_size"
_options: Any = Namespace  # untyped in jsonargparse


def follow_backbone(options: Any) -> None:
    """Fill in data.normalize and data.source.image_size where they are null.

    A size of the images that is given is passed on to a backbone that is made for one size.

    Raises:
        UserError: if the backbone is none that can be made.
    """
    backbone, source = options.model.init_args.get("backbone"), options.data.source
    kind = named(backbone.class_path) if isinstance(backbone, Namespace) else None
    if not isinstance(kind, type) or not issubclass(kind, Backbone):
        return
    given = backbone.get("init_args") or _options()
    size = source.get(f"init_args.{_SIZE}")
    if size is not None and _SIZE in parameters(kind) and given.get(_SIZE) is None:
        backbone[f"init_args.{_SIZE}"] = size
        given = backbone.init_args
    view = kind.asked_view(**vars(given))
    if view is None:
        return
    if given.get("weights"):
        _tell(kind.asked_view(**{**vars(given), _SIZE: None}) or view, options.data.normalize, size)
    if options.data.normalize is None:
        options.data.normalize = _options(
            class_path=f"{Normalize.__module__}.{Normalize.__qualname__}",
            init_args=_options(
                mean=list(view.mean), std=list(view.std), memory_format="contiguous"
            ),
        )
    if _SIZE in (source.get("init_args") or _options()) and size is None:
        source[f"init_args.{_SIZE}"] = view.image_size


def _tell(view: View, normalize: Any, size: int | None) -> None:
    """Say what the weights ask for, and warn where the config says otherwise."""
    wanted = f"mean {list(view.mean)}, std {list(view.std)}"
    if normalize is None:
        log.info("Images are normalised as the weights ask for: %s.", wanted)
    else:
        own = normalize.get("init_args") or _options()
        if (list(view.mean), list(view.std)) != (own.get("mean"), own.get("std")):
            log.warning(
                "The weights ask for %s but data.normalize is given as mean %s, std %s: set "
                "--data.normalize null to follow them.",
                wanted,
                own.get("mean"),
                own.get("std"),
            )
    if size not in (None, view.image_size):
        log.warning(
            "The weights were trained on images of %s pixels but data.source.image_size is %s: "
            "set it to null to follow them.",
            view.image_size,
            size,
        )
