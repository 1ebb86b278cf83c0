"""What a run ran on and with: versions, hardware, command line."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer

from lt_lightning import __version__
from lt_lightning.runs import argv, packaged


def versions() -> dict[str, str | None]:
    """Return the versions of what the numbers depend on."""
    found: dict[str, str | None] = {"lt_lightning": __version__}
    for name in ("torch", "lightning", "torchvision"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    found["python"] = platform.python_version()
    return found


def hardware(trainer: Trainer) -> dict[str, Any]:
    """Return device, processes and precision of the trainer."""
    device = trainer.strategy.root_device
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else _processor(),
        "processes": trainer.world_size,
        "nodes": trainer.num_nodes,
        "cpu_cores": cores(),
        "precision": str(trainer.precision),
    }


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":  # elsewhere nothing tells
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Return the name of the CPU; platform.processor() is empty on most Linux machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def config_names(command: Sequence[str]) -> list[str]:
    """Return the file names after --config or -c, in their order; of the package's, theirs."""
    given = [Path(file) for file in argv.files(command)]
    files = [file if file.is_file() else packaged.find(str(file)) or file for file in given]
    return [file.name for file in files]


def training_seed() -> int | None:
    """Return the seed of `seed_everything`, which Lightning keeps in an environment variable."""
    text = os.environ.get("PL_GLOBAL_SEED", "")
    return int(text) if text.lstrip("-").isdigit() else None
