"""Images per second of `lt fit`, as ratios measured in one run on one machine.

Three ways to train the same ResNet-32 with cross-entropy on CIFAR-sized images, in turn, several
rounds each: `lt fit` through the real command; a hand-written loop over the same network, batches
and precision; and the field's usual set-up, float32, NCHW, PIL transforms in DataLoader workers.
The figures to quote are the ratios of medians; absolute numbers belong to the machine.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lt_lightning.augment import Normalize, RandomCropFlip
from lt_lightning.augment.normalize import CIFAR_MEAN, CIFAR_STD
from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.cli import main as lt
from lt_lightning.cli.resuming import native_bf16
from lt_lightning.data import ImageSet, MemoryImages, Source
from lt_lightning.data.loader import Pipeline, TrainLoader
from lt_lightning.heads import LinearHead
from lt_lightning.samplers import EpochSampler, InstanceBalanced

BATCH, CLASSES = 128, 10


class Noise(Source):
    """Random images of 32x32 in 10 classes: as fast to read as any that are in memory."""

    def __init__(self, images: int = 2560) -> None:
        self.images = images

    def class_names(self, root: Path) -> list[str]:
        """Return ten names."""
        return [str(c) for c in range(CLASSES)]

    def train_counts(self, root: Path) -> Tensor:
        """Return equal counts."""
        return torch.full((CLASSES,), self.images // CLASSES)

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the same images as both splits."""
        generator = torch.Generator().manual_seed(0)
        labels = torch.arange(self.images) % CLASSES
        shape = (self.images, 3, 32, 32)
        pixels = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
        whole = MemoryImages(labels, pixels)
        return {"train": whole, "test": whole.select(torch.arange(CLASSES))}


class Clock(L.Callback):
    """Measures the training batches of an epoch, without what comes before and after them."""

    seconds: float = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start."""
        Clock.start = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop; the last epoch counts."""
        Clock.seconds = time.perf_counter() - Clock.start


def by_command(images: int) -> float:
    """Return the seconds of one warm epoch of `lt fit`."""
    with tempfile.TemporaryDirectory() as folder:
        status = lt(
            f"""fit --config configs/ce.yaml --config configs/trainer/cpu.yaml --runs {folder}
            --data.source speed.Noise --data.source.images {images} --data.profile AsIs
            --trainer.max_epochs 2 --trainer.callbacks+ speed.Clock
            --trainer.limit_test_batches 1""".split()
        )
    assert status == 0
    import speed  # the module object that jsonargparse imported, not this script

    return speed.Clock.seconds


def _network() -> nn.Module:
    torch.manual_seed(0)
    backbone = ResNetCIFAR(32)
    return nn.Sequential(backbone, LinearHead(backbone.out_features, CLASSES))


def _train(
    network: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], bf16: bool, cl: bool
) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=2e-4)
    for pixels, labels in batches:
        if cl:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(pixels)
        loss = nn.functional.cross_entropy(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def by_hand(images: int) -> float:
    """Return the seconds of one warm epoch of a plain loop over the same batches."""
    data = Noise(images).load(Path())["train"]
    sampler = EpochSampler(InstanceBalanced(), data.labels, num_classes=CLASSES)
    pipeline = Pipeline(RandomCropFlip(), Normalize(), torch.device("cpu"))
    loader = TrainLoader(
        data, sampler, batch_size=BATCH, drop_last=False, pipeline=pipeline, seed=0
    )
    network = _network().to(memory_format=torch.channels_last)
    _train(network, iter([next(iter(loader))]), native_bf16(), True)
    start = time.perf_counter()
    _train(network, iter(loader), native_bf16(), True)
    return time.perf_counter() - start


class _Pictures(Dataset[tuple[Tensor, int]]):
    """torchvision's transforms on PIL images, one at a time."""

    def __init__(self, images: int) -> None:
        from PIL import Image
        from torchvision import transforms

        data = Noise(images).load(Path())["train"]
        assert isinstance(data, MemoryImages)
        self.pictures = [Image.fromarray(p.permute(1, 2, 0).numpy()) for p in data.images]
        self.labels = data.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(CIFAR_MEAN, CIFAR_STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def by_usual_setup(images: int, workers: int) -> float:
    """Return the seconds of one warm epoch of the field's usual set-up."""
    loader = DataLoader(
        _Pictures(images), BATCH, shuffle=True, num_workers=workers, persistent_workers=True
    )
    network = _network()
    _train(network, iter([next(iter(loader))]), False, False)
    start = time.perf_counter()
    _train(network, iter(loader), False, False)
    return time.perf_counter() - start


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2560, help="images of an epoch")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument(
        "--workers",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="DataLoader workers of the usual set-up",
    )
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    ways = {
        "lt fit": lambda: by_command(options.images),
        "hand-written loop": lambda: by_hand(options.images),
        "usual set-up": lambda: by_usual_setup(options.images, options.workers),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            seconds[name].append(way())
    median = {name: statistics.median(values) for name, values in seconds.items()}
    out = [
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"bf16 in the CPU: {native_bf16()}"
    ]
    for name, values in seconds.items():
        rates = sorted(options.images / value for value in values)
        out.append(
            f"{name:<20} {options.images / median[name]:8.0f} images/s "
            f"({rates[0]:.0f} to {rates[-1]:.0f}, n {len(rates)})"
        )
    for other in ("hand-written loop", "usual set-up"):
        out.append(f"lt fit is {median[other] / median['lt fit']:.2f} x as fast as the {other}")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
