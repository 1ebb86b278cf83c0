"""One and two processes: with the whole batch as it was, and twice as large.

`lt fit` on CPU processes of one thread each. What communication takes is told by two runs side by
side that know nothing of each other, each with the batch that one of two processes has: they share
the memory and the caches of the machine as those two do, and exchange nothing. Seconds are those of
an epoch as `lt fit` tells them, the median of all but the first.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"
_TOLD = re.compile(r"epoch (\d+)/\d+, .* ([\d.]+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        name: for the table.
        processes: of one run.
        runs: side by side.
        batch: of each run.
    """

    name: str
    processes: int
    runs: int
    batch: int


def ways(batch: int) -> list[Way]:
    """Return what is compared, for a whole batch of that size."""
    return [
        Way("1 process", 1, 1, batch),
        Way("2 processes, the same batch", 2, 1, batch),
        Way("2 runs side by side, half of it each", 1, 2, batch // 2),
        Way("2 processes, twice the batch", 2, 1, 2 * batch),
        Way("2 runs side by side, the batch each", 1, 2, batch),
    ]


def command(config: str, way: Way, epochs: int, depth: int, name: str) -> list[str]:
    """Return the words of a run on all digits, at 32x32 pixels."""
    return [
        *(sys.executable, "-m", "lt_lightning", "fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml"), "--data.profile", "AsIs"),
        *("--trainer.accelerator", "cpu", "--trainer.precision", "32-true"),
        *("--trainer.devices", str(way.processes), "--trainer.max_epochs", str(epochs)),
        *("--trainer.strategy", "ddp" if way.processes > 1 else "auto"),
        *("--model.backbone.depth", str(depth), "--data.batch_size", str(way.batch)),
        *("--data.drop_last", "true", "--name", "scaling", "--version", name),
    ]


def measure(config: str, way: Way, epochs: int, depth: int, folder: Path) -> float:
    """Return the images per second of all runs of a way together."""
    own = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen(
            command(config, way, epochs, depth, str(number)),
            cwd=folder,
            env=own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(way.runs)
    ]
    said = [process.communicate()[1] for process in started]
    for process, text in zip(started, said, strict=True):
        if process.returncode:
            raise SystemExit(text)
    return sum(images_per_second(text, way.batch) for text in said)


def images_per_second(said: str, batch: int) -> float:
    """Return the speed that a run told of itself."""
    seconds = [float(found) for epoch, found in _TOLD.findall(said) if epoch != "1"]
    counted = re.search(r"(\d+) training images", said)
    assert counted is not None
    return int(counted[1]) // batch * batch / statistics.median(seconds)


def table(config: str, batch: int, speeds: dict[str, float]) -> str:
    """Return the rows of one config: speed, of the ideal, lost to communication."""
    one, *others = ways(batch)
    lines = [f"| {config}, {one.name}, batch {batch} | {speeds[one.name]:.0f} | | |"]
    for way, apart in zip(others[::2], others[1::2], strict=True):
        found, alone = speeds[way.name], speeds[apart.name]
        lines.append(
            f"| {config}, {way.name}, {way.batch} | {found:.0f} "
            f"| {found / (2 * speeds[one.name]):.0%} | {max(1 - found / alone, 0):.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", nargs="+", default=["ce", "mixup", "paco"])
    parser.add_argument("--batch", type=int, default=128, help="images of the whole batch")
    parser.add_argument("--epochs", type=int, default=4, help="of each run, the first not counted")
    parser.add_argument("--depth", type=int, default=32, help="of the ResNet")
    given = parser.parse_args()
    lines = [
        "| run | images/s | of twice one process | lost to communication |",
        "|---|--:|--:|--:|",
    ]
    for config in given.configs:
        speeds = {}
        for way in ways(given.batch):
            with tempfile.TemporaryDirectory() as folder:
                speeds[way.name] = measure(config, way, given.epochs, given.depth, Path(folder))
        lines.append(table(config, given.batch, speeds))
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
