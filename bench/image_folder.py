"""Images per second from a folder of JPEGs, beside torchvision's ImageFolder in a DataLoader.

Both read the same generated pictures of 500x375 pixels with the same number of workers, which stay
from epoch to epoch, and give float batches: in training a random resized crop and mirror, in
evaluation a resized middle. A pass of one follows a pass of the other, several rounds each; the
figures to quote are the ratios, the median of those of the rounds. Processor time is that of all
processes, and only Linux tells it.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from lt_lightning.augment import Normalize, RandomCropFlip
from lt_lightning.augment.normalize import IMAGENET_MEAN, IMAGENET_STD
from lt_lightning.data import AsIs, ImageFolder, LongTailDataModule
from lt_lightning.data.view import evaluation_side

WIDTH, HEIGHT, CLASSES, BATCH = 500, 375, 4, 32
SPLITS = {"train": "training", "test": "evaluation"}
Pass = Callable[[], Iterable[tuple[Tensor, Tensor]]]


def generate(root: Path, images: int, seed: int = 0) -> None:
    """Write pictures of blurred patches with some noise, at quality 90: 70 kB each."""
    numbers = np.random.default_rng(seed)
    for split in SPLITS:
        for k in range(images):
            patches = numbers.integers(0, 256, (12, 16, 3), dtype=np.uint8)
            smooth = Image.fromarray(patches).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
            noisy = np.asarray(smooth) + numbers.normal(0, 8, (HEIGHT, WIDTH, 1))
            path = root / split / f"class{k % CLASSES}" / f"{k:04}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def ours(root: Path, split: str, size: int, workers: int) -> Pass:
    """Return what makes a pass over a split with this package."""
    data = LongTailDataModule(
        ImageFolder(image_size=size, in_memory=False),
        root=str(root),
        profile=AsIs(),
        batch_size=BATCH,
        eval_batch_size=BATCH,
        augment=RandomCropFlip(padding=0),
        normalize=Normalize(IMAGENET_MEAN, IMAGENET_STD),
        workers=workers,
        seed=0,
    )
    data.setup("fit")
    loader = data.train_dataloader() if split == "train" else data.test_dataloader()
    return lambda: loader


def theirs(root: Path, split: str, size: int, workers: int) -> Pass:
    """Return what makes a pass over a split with torchvision's ImageFolder."""
    view: list[object] = [transforms.Resize(evaluation_side(size)), transforms.CenterCrop(size)]
    if split == "train":
        view = [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]
    ends = [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    loader = DataLoader(
        datasets.ImageFolder(str(root / split), transforms.Compose([*view, *ends])),
        BATCH,
        shuffle=split == "train",
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    return lambda: loader


def processor_seconds() -> float:
    """Return the processor time of this process and of those it started that still run."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        stat = Path(f"/proc/{child.pid}/stat")
        if stat.is_file():
            fields = stat.read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


@dataclass
class Timed:
    """Wall and processor seconds of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, made: Pass, images: int) -> None:
        """Time one pass."""
        wall, cpu = time.perf_counter(), processor_seconds()
        seen = sum(len(labels) for _, labels in made())
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(processor_seconds() - cpu)
        assert seen == images, f"{seen} of {images} images came"

    def rates(self, images: int) -> str:
        """Return images per second: the median, and the lowest to the highest."""
        found = sorted(images / seconds for seconds in self.wall)
        return f"{statistics.median(found):.0f} ({found[0]:.0f} to {found[-1]:.0f})"


@dataclass(frozen=True)
class Row:
    """One case: what was timed, here and with torchvision."""

    case: tuple[str, int, int]
    here: Timed
    there: Timed

    def ratio(self, of: str) -> float:
        """Return how many times as fast this package is, the median over the rounds."""
        here, there = getattr(self.here, of), getattr(self.there, of)
        return statistics.median(b / a for a, b in zip(here, there, strict=True))


def measure(
    root: Path, images: int, rounds: int, sizes: Sequence[int], workers: Sequence[int]
) -> list[Row]:
    """Time all cases.

    Args:
        root: where the pictures are written.
        images: in each of the two splits.
        rounds: passes of each side that count; one before them does not.
        sizes: pixels a side that the model would see.
        workers: numbers of workers.
    """
    generate(root, images)
    rows = []
    for split in SPLITS:
        for size in sizes:
            for count in workers:
                row = Row((SPLITS[split], size, count), Timed(), Timed())
                sides = (
                    (ours(root, split, size, count), row.here),
                    (theirs(root, split, size, count), row.there),
                )
                for made, _ in sides:
                    Timed().add(made, images)
                for _ in range(rounds):
                    for made, timed in sides:
                        timed.add(made, images)
                rows.append(row)
    return rows


def table(rows: Sequence[Row], images: int) -> str:
    """Return the rows as text."""
    lines = [f"{'':<12}{'pixels':>7}{'workers':>8}{'images/s':>22}{'torchvision':>22}"]
    lines[0] += f"{'ratio':>7}{'of CPU time':>13}"
    for row in rows:
        (what, size, workers), rates = row.case, (row.here.rates(images), row.there.rates(images))
        line = f"{what:<12}{size:>7}{workers:>8}{rates[0]:>22}{rates[1]:>22}"
        lines.append(f"{line}{row.ratio('wall'):>7.2f}{row.ratio('cpu'):>13.2f}")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=192, help="pictures of a split")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 64])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options.images, options.rounds, options.sizes, options.workers)
    head = f"torch {torch.__version__}, {torch.get_num_threads()} threads, n {options.rounds}"
    sys.stdout.write(f"{head}\n{table(rows, options.images)}\n")


if __name__ == "__main__":
    main()
