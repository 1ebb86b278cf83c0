"""Stage 2 on features that are computed once, beside the same stage 2 that computes them anew.

cRT on the frozen ResNet-32 of some stage 1, without augmentation, batch norm in eval mode: in turn,
several rounds each, from the start of the fit, so the first look at the images counts too. The
figure to quote is the ratio of medians; the classifiers at the end are compared as well.
"""

import argparse
import logging
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest.mock import patch

import lightning as L
import torch
from speed import Noise
from torch import Tensor

from lt_lightning.cli.resuming import native_bf16
from lt_lightning.data import AsIs, LongTailDataModule
from lt_lightning.methods import ERM, Decoupled
from lt_lightning.samplers import ClassBalanced, InstanceBalanced


class Clock(L.Callback):
    """Measures a fit without the building of its parts."""

    seconds = 0.0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start; the loaders are made after this."""
        self.start = time.perf_counter()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop."""
        self.seconds = time.perf_counter() - self.start


def stage2(images: int, epochs: int, first: Path, kept: bool) -> tuple[float, Tensor]:
    """Return the seconds of stage 2 and the weights of its classifier."""
    L.seed_everything(0, verbose=False)
    data = LongTailDataModule(
        source=Noise(images),
        profile=AsIs(),
        samplers={"stage1": InstanceBalanced(), "stage2": ClassBalanced()},
    )
    module = Decoupled(
        class_counts=data.class_counts.tolist(),
        stage1_ckpt=str(first),
        stage2_epochs=epochs,
        stage2_augment=False,
        bn_mode="eval",
    )
    clock = Clock()
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        precision="bf16-mixed" if native_bf16() else "32-true",
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    if kept:
        trainer.fit(module, datamodule=data)
    else:
        with patch.object(Decoupled, "_features_are_fixed", lambda self: False):
            trainer.fit(module, datamodule=data)
    weight = module.head.weight
    assert isinstance(weight, Tensor)
    return clock.seconds, weight.detach()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2560, help="images of an epoch")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of stage 2")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "stage1.ckpt"
        torch.manual_seed(0)
        network = ERM(class_counts=[options.images // 10] * 10)
        torch.save({"state_dict": network.state_dict()}, first)
        rounds = [
            [stage2(options.images, options.epochs, first, kept) for kept in (True, False)]
            for _ in range(options.rounds)
        ]
    kept, anew = (statistics.median(one[k][0] for one in rounds) for k in (0, 1))
    apart = (rounds[0][0][1] - rounds[0][1][1]).abs().max().item()
    sys.stdout.write(
        f"stage 2 of {options.epochs} epochs, {options.images} images, medians of "
        f"{options.rounds}: {kept:.2f} s on kept features, {anew:.2f} s on features computed anew\n"
        f"kept features are {anew / kept:.1f} x as fast; the weights of the classifiers are at "
        f"most {apart:.1g} apart\n"
    )


if __name__ == "__main__":
    main()
