"""What logging, figures and W&B cost a run of CIFAR size, in percent of its training.

One run of `lt fit` with an offline W&B run beside it, of a few epochs, in which the clock stands in
front of every callback and logger that is there for people to look at. The cost of an epoch is
multiplied by 200, the cost of a test and of beginning a W&B run is added once, and the sum is
divided by the time that 200 epochs take here. Faster machines train faster and log as fast: the
last line says how long an epoch must take for the cost to stay below 2 %.
"""

import argparse
import functools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lt_lightning.callbacks import ClassWeights, EpochLines, RunLogger, RunRecord, WandbMedia
from lt_lightning.cli import main as lt
from lt_lightning.wandb_.run import WandbRun

EPOCHS, IMAGES, LIMIT = 200, 12_406, 0.02  # CIFAR-10-LT, ratio 100
_EVERY_EPOCH = {
    ClassWeights: ("on_train_epoch_end",),
    EpochLines: ("on_train_epoch_start", "on_train_batch_start", "on_train_epoch_end"),
    WandbMedia: ("on_train_epoch_end",),
    RunLogger: ("log_metrics",),
    WandbRun: ("log_metrics",),
}
_ONCE = {
    WandbRun: ("log_hyperparams",),
    RunRecord: ("setup", "on_test_epoch_end", "on_test_end"),
    WandbMedia: (
        "on_fit_start", "on_test_start", "on_test_epoch_start", "on_test_batch_end",
        "on_test_epoch_end", "on_test_end",
    ),
}  # fmt: skip

spent: dict[str, float] = defaultdict(float)
epochs: list[float] = []


def timed(method: Callable[..., Any], part: str) -> Callable[..., Any]:
    """Return a method whose time is added to a part."""

    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            spent[part] += time.perf_counter() - start

    return run


def watch() -> None:
    """Put a clock in front of all that is measured."""
    for part, places in (("epochs", _EVERY_EPOCH), ("once", _ONCE)):
        for kind, names in places.items():
            for name in names:
                setattr(kind, name, timed(getattr(kind, name), part))


def run(count: int, images: int) -> None:
    """Train for a few epochs with everything that is logged."""
    import speed

    watch()
    noted = speed.Clock.on_train_epoch_end

    def note(self: Any, *args: Any) -> None:
        noted(self, *args)
        epochs.append(speed.Clock.seconds)

    speed.Clock.on_train_epoch_end = note
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WANDB_DIR"] = folder
        status = lt(
            f"""fit --config configs/ldam_drw.yaml --config configs/trainer/cpu.yaml
            --config configs/logger/wandb.yaml --runs {folder} --data.source speed.Noise
            --data.source.images {images} --data.profile AsIs --trainer.max_epochs {count}
            --model.lr_schedule.warmup_epochs 1 --trainer.callbacks+ speed.Clock""".split()
        )
    assert status == 0


def main() -> None:
    """Measure and write four lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2560, help="images of an epoch")
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    run(options.epochs, options.images)
    each = spent["epochs"] / options.epochs
    epoch = statistics.median(epochs[1:]) * IMAGES / options.images
    total = EPOCHS * each + spent["once"]
    sys.stdout.write(
        f"logging an epoch costs {1000 * each:.1f} ms, "
        f"beginning and testing {spent['once']:.1f} s\n"
        f"an epoch of {IMAGES:,} images takes {epoch:.1f} s here\n"
        f"dashboards cost {total / (EPOCHS * epoch):.2%} of {EPOCHS} epochs\n"
        f"they stay below {LIMIT:.0%} where an epoch takes {total / EPOCHS / LIMIT:.1f} s or more\n"
    )


if __name__ == "__main__":
    main()
