"""What is laid over every step where nothing else is asked for, by the pictures at hand."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.data import LongTailDataModule
from lt_lightning.data.decode import Unreadable, picture_of
from lt_lightning.data.folder import ImageFolder
from lt_lightning.data.layout import layout_of
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.runs import packaged
from lt_lightning.runs.argv import CONFIG

SMALL, LARGE = "data/folder", "data/folder_large"
RECIPE = "recipe/auto"
_LARGE_NETWORK = ("--model.backbone=TorchvisionResNet", "--model.backbone.name=resnet18")
_SIDE = 64  # pixels of the shorter side, up to which little is lost at 32
_MANY = 10_000  # pictures; a large network that starts from nothing learns little from fewer
_LOOKED_AT = 50
_TEST_FRACTION = 0.2
HELD_OUT = ("--data.holdout.fraction=0.1",)  # where neither the source nor the user has some


@dataclass(frozen=True)
class Look:
    """What is known of the pictures before any training.

    Attributes:
        images: training images, those that will be held out among them.
        test_share: images of the test split for each of them.
        side: the median of the shorter sides, in pixels; none where it is not asked.
    """

    images: int
    test_share: float
    side: float | None

    @property
    def large(self) -> bool:
        """Whether they deserve a large network that sees 224 pixels."""
        return self.side is not None and self.side > _SIDE and self.images >= _MANY

    def told(self) -> str:
        """Return what is done with them, and how to have it otherwise."""
        found = f"{self.images:,} training pictures"
        if self.side is None:
            return f"{found}: network and size as asked for"
        small, large = "ResNet-32 at 32 pixels", "ResNet-18 at 224 pixels"
        other = " ".join(["--config", LARGE, *_LARGE_NETWORK]).replace("=", " ")
        how = (
            f"{large} (--config {SMALL} for {small})"
            if self.large
            else f"{small} (for {large}: {other})"
        )
        return f"{found} of about {self.side:.0f} pixels: {how}"


def look_at(data: LongTailDataModule, own_choice: bool) -> Look:
    """Look at the numbers and, for a choice of the network, at the sizes of some pictures.

    Args:
        data: before any image is read.
        own_choice: whether the user chose network or images.
    """
    images, source = int(data.class_counts.sum()), data.source
    if not isinstance(source, PictureSource):
        return Look(images, 1.0, None)
    splits = source.found(data.root).splits
    share = len(splits["test"]) / max(len(splits["train"]), 1)
    return Look(images, share, None if own_choice else _side(splits["train"].paths, source))


def test_split(data: LongTailDataModule) -> list[str]:
    """Return the option that makes a test split of a folder that has classes alone.

    Args:
        data: as asked for; a folder whose test split the user makes, or another source, needs none.
    """
    source, root = data.source, data.root
    if not isinstance(source, ImageFolder) or source.division.asked:
        return []
    if not root.is_dir() or layout_of(root).splits:
        return []
    return [f"--data.source.test_fraction={_TEST_FRACTION}"]


def words_of(look: Look) -> list[str]:
    """Return configs and options that lie over every step, below those of the user."""
    names = (LARGE if look.large else SMALL, RECIPE)
    configs = [f"{CONFIG}={packaged.configs()[name]}" for name in names]
    return [*configs, *(_LARGE_NETWORK if look.large else ())]


def _side(paths: list[Path], source: PictureSource) -> float | None:
    """Return the median shorter side of some pictures, none where none can be read."""
    found = []
    for path in paths[:: max(len(paths) // _LOOKED_AT, 1)]:
        try:
            found.append(min(picture_of(path, source.reading).size))
        except Unreadable:
            continue  # the training says which, or leaves it out
    return statistics.median(found) if found else None
