"""A folder of new images, made from a trained run and its training images."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from lt_lightning.cam.activation import activation_maps
from lt_lightning.cam.contact_sheet import Shown, choose_shown, class_titles, contact_sheet
from lt_lightning.cam.generate import Plan, generate, plan_images
from lt_lightning.cam.store import write_added
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.added_images import ABOUT, AddedImages
from lt_lightning.data.loader import EvalLoader, Pipeline
from lt_lightning.data.source import FileImages
from lt_lightning.engine import LongTailModule
from lt_lightning.engine.float32 import exact
from lt_lightning.errors import UserError
from lt_lightning.figures.png import to_png

_SCREEN = Console(stderr=True)  # the answer alone goes to standard output


def is_made(out: Path, made: dict[str, Any]) -> bool:
    """Return whether the same images lie in `out`.

    Raises:
        UserError: if it holds anything else.
    """
    if out.is_dir() and not any(out.iterdir()):
        return False
    if (out / ABOUT).is_file() and AddedImages(out).made == made:
        return True
    if out.exists():
        raise UserError(f"--out {out} exists and holds something else: give a new folder.")
    return False


class TrainingImages:
    """The training images of a run, as evaluation sees them.

    Args:
        data: the data of the run.
        device: where the images go.
        batch_size: how many at once.
    """

    def __init__(self, data: LongTailDataModule, device: torch.device, batch_size: int) -> None:
        self.data, self.device, self.batch_size = data, device, batch_size
        self.images = data.whole("train").images

    def loader(self, which: Tensor) -> EvalLoader:
        """Return the images `which` in batches, uint8."""
        return EvalLoader(
            self.images.select(which),
            batch_size=self.batch_size,
            pipeline=Pipeline(None, lambda images: images, self.device),
            rank=0,
            world_size=1,
            workers=self.data.workers,
        )

    def batches(self, which: Tensor) -> Iterable[Tensor]:
        """Yield the images `which` without their labels."""
        return (images for images, _ in self.loader(which))


class Maker:
    """Makes new images from the foregrounds that a model looks at.

    Args:
        model: the trained run.
        images: its training images.
        threshold: of the foreground, see `foregrounds`.
    """

    def __init__(self, model: LongTailModule, images: TrainingImages, threshold: float) -> None:
        self.model, self.images, self.threshold = model, images, threshold

    def maps(self, sources: Tensor) -> Tensor:
        """Return the map of each source (M,), float32 (M, h, w); each image is looked at once."""
        which, back = torch.unique(sources, return_inverse=True)
        loader, what = self.images.loader(which), f"Looking at {len(which)} images"
        normalize = self.images.data.normalize
        with exact(self.images.device):
            found = [
                activation_maps(self.model, normalize(images), labels).cpu()
                for images, labels in track(loader, what, len(loader), console=_SCREEN)
            ]
        return torch.cat(found)[back]

    def new(self, plan: Plan, maps: Tensor) -> Iterable[Tensor]:
        """Return the new images in batches."""
        return generate(plan, maps, self.images.batches, self.threshold)

    def sheet(self, plan: Plan, maps: Tensor) -> bytes:
        """Return the contact sheet, a PNG file."""
        some = choose_shown(plan.labels)
        part = plan.part(some)
        shown = Shown(
            labels=part.labels,
            kinds=part.moves.kind,
            originals=torch.cat([images.cpu() for images in self.images.batches(part.sources)]),
            maps=maps[some],
            generated=torch.cat([images.cpu() for images in self.new(part, maps[some])]),
        )
        data = self.images.data
        new = torch.bincount(plan.labels, minlength=data.num_classes)
        titles = class_titles(data.class_names, data.class_counts, new)
        return to_png(contact_sheet(shown, titles, self.threshold))


def write(maker: Maker, out: Path, made: dict[str, Any]) -> None:
    """Make the images and write them into the folder `out`.

    Args:
        maker: makes them.
        out: a folder that is absent or empty.
        made: what decides how they look; `per_class` and `seed` are used.

    Raises:
        UserError: if there is nothing to make.
    """
    data, images = maker.images.data, maker.images.images
    plan = plan_images(images.labels, data.num_classes, made["per_class"], made["seed"])
    if not len(plan.labels):
        least = int(data.class_counts.min())
        raise UserError(
            f"Every class has {least} images or more, so there is nothing to make: give "
            f"--per_class above {least}."
        )
    maps = maker.maps(plan.sources)
    facts = data.facts()
    about = {
        "fingerprint": facts["fingerprint"],
        "image_size": facts["image_size"],
        "class_names": data.class_names,
        "class_counts": data.class_counts.tolist(),
        "counts": torch.bincount(plan.labels, minlength=data.num_classes).tolist(),
        "made": made,
    }
    total = -(-len(plan.labels) // maker.images.batch_size)
    what = f"Making {len(plan.labels)} images"
    batches = track(maker.new(plan, maps), what, total, console=_SCREEN)
    as_files = isinstance(images, FileImages)
    write_added(out, plan.labels, batches, about, maker.sheet(plan, maps), as_files=as_files)
