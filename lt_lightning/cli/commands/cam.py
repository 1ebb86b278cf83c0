"""`lt cam RUN`: new training images for the rare classes, from what a trained run looks at."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from lt_lightning.cam import Plan, activation_maps, class_weight, generate, plan_images
from lt_lightning.cam.contact_sheet import Shown, choose_shown, class_titles, contact_sheet
from lt_lightning.cam.store import write_added
from lt_lightning.cli.commands.predict import device_of
from lt_lightning.cli.run_data import check_same, data_of_run
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.added_images import ABOUT, AddedImages
from lt_lightning.data.decode import cache_folder
from lt_lightning.data.loader import EvalLoader, Pipeline
from lt_lightning.data.source import FileImages
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.errors import Refused, UserError
from lt_lightning.figures.png import to_png
from lt_lightning.methods import LongTailModule
from lt_lightning.runs import argv as words
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.checkpoint import DATA_STATE
from lt_lightning.runs.config import config_of

_SCREEN = Console(stderr=True)  # the answer alone goes to standard output


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(f"lt cam RUN [--out DIR]: {message}.")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="lt cam",
        allow_abbrev=False,
        description=__doc__,
        epilog="Options of the data, such as --data.root DIR, lie over those of the run.",
    )
    parser.add_argument("run", metavar="RUN", help="a run folder, or a checkpoint in it")
    parser.add_argument("--out", metavar="DIR", help="a new folder; by default in the cache")
    parser.add_argument(
        "--per_class",
        type=int,
        metavar="N",
        help="images each class is to have, old and new; by default as many as the largest has",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.75,
        help="a place is foreground where the map is at least so many times its mean (0.75)",
    )
    parser.add_argument("--seed", type=int, help="by default that of the run")
    parser.add_argument("--best", action="store_true", help="best.ckpt instead of last.ckpt")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(argv)
    for name in ("per_class", "batch_size"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name} is {value}: give 1 or more.")
    if not 0 <= options.threshold <= 1:
        raise UserError(f"--threshold is {options.threshold}: give a number from 0 to 1.")
    return options


def cam(argv: list[str]) -> None:
    """Write a folder of new images, and say what to do with it."""
    own, of_data = words.split(argv, "data")
    options = _parse(own)
    device = device_of(options.device)
    folder, checkpoint = run_folder.of_run(options.run, options.best)
    content = checkpoint_file.read(checkpoint)
    model = load_model(content, checkpoint).to(device).eval()
    class_weight(model.head, model.num_classes)  # refused before any image is read
    config = config_of(folder)
    data = data_of_run(config, of_data, "lt cam")
    check_same(content[DATA_STATE], data.facts(), checkpoint)
    made = _made(options, config, folder, checkpoint)
    key = hashlib.sha256(json.dumps([made, data.facts()], sort_keys=True).encode()).hexdigest()
    name = f"{folder.parent.name}-{folder.name}-{key[:8]}"
    out = Path(options.out) if options.out else cache_folder() / "cam" / name
    lock.take_output(out)
    if not _is_there(out, made):
        _make(_Work(model, data, device, options), out, made)
    _say(out, data)


def _made(
    options: argparse.Namespace, config: dict[str, Any], folder: Path, checkpoint: Path
) -> dict[str, Any]:
    """Return what decides how the images look, beside the images they are made from."""
    seed = options.seed if options.seed is not None else config["seed_everything"]
    return {
        "run": f"{folder.parent.name}/{folder.name}",
        "checkpoint": checkpoint.name,
        "weights": hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16],
        "seed": seed if type(seed) is int else 0,
        "per_class": options.per_class,
        "threshold": options.threshold,
    }


def _is_there(out: Path, made: dict[str, Any]) -> bool:
    """Return whether the same images lie in `out`; refuse a folder that holds others."""
    if out.is_dir() and not any(out.iterdir()):
        return False
    if (out / ABOUT).is_file() and AddedImages(out).made == made:
        return True
    if out.exists():
        raise UserError(f"--out {out} exists and holds something else: give a new folder.")
    return False


class _Work:
    """The model, the images and how they are read."""

    def __init__(
        self,
        model: LongTailModule,
        data: LongTailDataModule,
        device: torch.device,
        options: argparse.Namespace,
    ) -> None:
        self.model, self.data, self.device = model, data, device
        self.images = data.whole("train").images
        self.batch_size, self.threshold = options.batch_size, options.threshold

    def loader(self, which: Tensor) -> EvalLoader:
        """Return the training images `which` in batches, as evaluation sees them, as uint8."""
        return EvalLoader(
            self.images.select(which),
            batch_size=self.batch_size,
            pipeline=Pipeline(None, lambda images: images, self.device),
            rank=0,
            world_size=1,
            workers=self.data.workers,
        )

    def maps(self, sources: Tensor) -> Tensor:
        """Return the map of each source (M,), float32 (M, h, w); each image is looked at once."""
        which, back = torch.unique(sources, return_inverse=True)
        loader, what = self.loader(which), f"Looking at {len(which)} images"
        with exact(self.device):
            found = [
                activation_maps(self.model, self.data.normalize(images), labels).cpu()
                for images, labels in track(loader, what, len(loader), console=_SCREEN)
            ]
        return torch.cat(found)[back]

    def generate(self, plan: Plan, maps: Tensor) -> Iterable[Tensor]:
        """Return the new images in batches."""
        return generate(
            plan, maps, lambda which: (images for images, _ in self.loader(which)), self.threshold
        )

    def sheet(self, plan: Plan, maps: Tensor) -> bytes:
        """Return the contact sheet, a PNG file."""
        some = choose_shown(plan.labels)
        part = plan.part(some)
        shown = Shown(
            labels=part.labels,
            kinds=part.moves.kind,
            originals=torch.cat([images.cpu() for images, _ in self.loader(part.sources)]),
            maps=maps[some],
            generated=torch.cat([images.cpu() for images in self.generate(part, maps[some])]),
        )
        new = torch.bincount(plan.labels, minlength=self.data.num_classes)
        titles = class_titles(self.data.class_names, self.data.class_counts, new)
        return to_png(contact_sheet(shown, titles, self.threshold))


def _make(work: _Work, out: Path, made: dict[str, Any]) -> None:
    data = work.data
    plan = plan_images(work.images.labels, data.num_classes, made["per_class"], made["seed"])
    if not len(plan.labels):
        least = int(data.class_counts.min())
        raise UserError(
            f"Every class has {least} images or more, so there is nothing to make: give "
            f"--per_class above {least}."
        )
    maps = work.maps(plan.sources)
    facts = data.facts()
    about = {
        "fingerprint": facts["fingerprint"],
        "image_size": facts["image_size"],
        "class_names": data.class_names,
        "class_counts": data.class_counts.tolist(),
        "counts": torch.bincount(plan.labels, minlength=data.num_classes).tolist(),
        "made": made,
    }
    total = -(-len(plan.labels) // work.batch_size)
    what = f"Making {len(plan.labels)} images"
    batches = track(work.generate(plan, maps), what, total, console=_SCREEN)
    as_files = isinstance(work.images, FileImages)
    write_added(out, plan.labels, batches, about, work.sheet(plan, maps), as_files=as_files)


def _say(out: Path, data: LongTailDataModule) -> None:
    counts = torch.tensor(AddedImages(out).counts)
    after = counts + data.class_counts
    sys.stdout.write(
        f"{int(counts.sum()):,} new images of {int((counts > 0).sum())} classes beside the "
        f"{int(data.class_counts.sum()):,} of the run: {int(after.min()):,} to "
        f"{int(after.max()):,} of a class.\n"
        f"Look at them: {out / 'contact_sheet.png'}\n"
        f"Train on them: lt fit --config configs/cam_drs.yaml --data.added_images {out}\n"
    )
