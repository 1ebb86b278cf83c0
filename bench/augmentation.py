"""Images per second of augmentation, as ratios measured in one run on one machine.

The same augmentation of a batch of 128 images of 32x32 in three ways, in turn, several rounds
each: ours, on the uint8 batch; torchvision's v2 transforms in a loop over the images, the only way
in which they draw anew for each image; and kornia on the batch, as floats, which it needs (their
conversion is not counted); its AutoAugment and RandAugment draw the operations once for the whole
batch. kornia is the `bench` extra; where it is missing, so is its column.
The number in brackets says how many of 128 equal images came out different.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from lt_lightning.augment import (
    AutoAugment,
    BatchTransform,
    ColorJitter,
    RandAugment,
    RandomCropFlip,
)

BATCH = 128
Way = Callable[[Tensor], Tensor]


def ours(device: torch.device) -> dict[str, Way]:
    """Return the batch transforms of this package."""
    generator = torch.Generator(device).manual_seed(0)
    transforms: dict[str, BatchTransform] = {
        "crop and flip": RandomCropFlip(padding=4, flip=0.5),
        "colour jitter": ColorJitter(0.4, 0.4, 0.4, 0.0),
        "AutoAugment, CIFAR-10": AutoAugment("cifar10"),
        "RandAugment, 2 of 9": RandAugment(2, 9),
    }
    return {name: lambda x, t=t: t(x, generator) for name, t in transforms.items()}


def torchvision_loop() -> dict[str, Way]:
    """Return torchvision's transforms, one image after the other."""
    transforms = {
        "crop and flip": v2.Compose([v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]),
        "colour jitter": v2.ColorJitter(0.4, 0.4, 0.4, 0.0),
        "AutoAugment, CIFAR-10": v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10),
        "RandAugment, 2 of 9": v2.RandAugment(2, 9),
    }
    return {
        name: lambda x, t=t: torch.stack([t(image) for image in x])
        for name, t in transforms.items()
    }


def kornia_batch(device: torch.device) -> dict[str, Way]:
    """Return kornia's transforms; empty where it is not installed."""
    try:
        import kornia.augmentation as kornia
        from kornia.augmentation import auto
    except ImportError:
        return {}
    transforms: dict[str, Any] = {
        "crop and flip": torch.nn.Sequential(
            kornia.RandomCrop((32, 32), padding=4), kornia.RandomHorizontalFlip()
        ),
        "colour jitter": kornia.ColorJitter(0.4, 0.4, 0.4, 0.0, p=1.0),
        "AutoAugment, CIFAR-10": auto.AutoAugment("cifar10"),
        "RandAugment, 2 of 9": auto.RandAugment(2, 9),
    }
    return {name: t.to(device) for name, t in transforms.items()}


def seconds_of(way: Way, images: Tensor, batches: int) -> float:
    """Return the seconds of one batch, the mean of `batches`."""

    def wait() -> None:
        if images.is_cuda:
            torch.cuda.synchronize()

    way(images)
    wait()
    start = time.perf_counter()
    for _ in range(batches):
        way(images)
    wait()
    return (time.perf_counter() - start) / batches


def different(way: Way, image: Tensor) -> int:
    """Return how many different images come of 128 equal ones."""
    out = way(image.expand(BATCH, -1, -1, -1).contiguous())
    return len(out.flatten(1).unique(dim=0))


def measure(rounds: int, batches: int, device: torch.device) -> list[str]:
    """Return the lines of the table."""
    pixels = torch.randint(256, (BATCH, 3, 32, 32), dtype=torch.uint8)
    images, floats = pixels.to(device), pixels.to(device) / 255
    columns = {
        "lt_lightning": (ours(device), images),
        "torchvision, loop": (torchvision_loop(), images),
        "kornia": (kornia_batch(device), floats),
    }
    columns = {name: column for name, column in columns.items() if column[0]}
    lines = [
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {device}; images/s, and "
        f"different ones of {BATCH} equal ones"
    ]
    lines.append(" " * 22 + "".join(f"{name:>26}" for name in columns))
    for row in columns["lt_lightning"][0]:
        seconds: dict[str, list[float]] = {name: [] for name in columns}
        for _ in range(rounds):
            for name, (ways, batch) in columns.items():
                seconds[name].append(seconds_of(ways[row], batch, batches))
        line = f"{row:<22}"
        for name, (ways, batch) in columns.items():
            rate = BATCH / statistics.median(seconds[name])
            line += f"{f'{rate:,.0f}  ({different(ways[row], batch[:1])})':>26}"
        lines.append(line)
    if "kornia" not in columns:
        lines.append("kornia is not installed: pip install 'lt_lightning[bench]' adds its column.")
    return lines


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=5, help="batches in a round")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    options = parser.parse_args()
    lines = measure(options.rounds, options.batches, torch.device(options.device))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
