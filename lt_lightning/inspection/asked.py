"""What is looked at, and the command that trains on it as it was looked at."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from lt_lightning.data import ImageFolder, ImageTable
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.inspection.inspect import Inspection
from lt_lightning.shell import named

_LARGE = 96  # pixels of the short side from which pictures stay in their files
_FILES = ("file", "train", "test", "val", "names")  # options that are paths
_BACKBONE = ("--model.backbone", "TorchvisionResNet", "--model.backbone.name", "resnet50")


@dataclass(frozen=True)
class Asked:
    """A source of pictures by its options, as `lt fit` has them.

    Attributes:
        kind: class of the source.
        root: the folder of the pictures.
        options: of the source, those that are given.
    """

    kind: type[PictureSource]
    root: Path
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.options.get("file") or self.options.get("train") or self.root)

    @property
    def skips(self) -> bool:
        """Whether pictures that cannot be used are to be left out."""
        return bool(self.options.get("unreadable") == "skip")

    def source(self) -> PictureSource:
        """Return the source, which takes missing pictures for unreadable ones.

        Raises:
            UserError: if an option is out of its range, as for `lt fit`.
        """
        return self.kind(**{**self.options, "in_memory": False, "unreadable": "skip"})

    def command(self, found: Inspection) -> str:
        """Return the command that trains on what was found.

        Pictures that cannot be used are left out where enough are there without them.
        """
        large = bool(found.sizes) and median(min(size) for size in found.sizes) >= _LARGE
        config = "data/folder_large" if large else "data/folder"
        its_kind: type[PictureSource] = ImageFolder
        if self.kind is ImageTable and not large:
            config, its_kind = "data/table", ImageTable
        words = ["lt", "fit", "--config", "balanced_softmax", "--config", config]
        words += ["--data.root", named(self.root)]
        if self.kind is not its_kind:
            words += ["--data.source", self.kind.__name__]
        options = {name: value for name, value in self.options.items() if name != "unreadable"}
        if found.faults and not found.refusal:
            options["unreadable"] = "skip"
        for name, value in options.items():
            key = f"--data.source.{name}"
            text = named(value) if name in _FILES else _written(value)
            # What begins with a dash would be taken for an option of its own.
            words += [f"{key}={text}"] if text.startswith("-") else [key, text]
        return shlex.join([*words, *(_BACKBONE if large else ())])


def _written(value: Any) -> str:
    """Return a value as an option of the command line has it."""
    if value == "\t":
        return "tab"
    return value if isinstance(value, str) else json.dumps(value)
