"""Small digits runs in two stages."""

from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from lt_lightning.augment import RandomCropFlip
from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.data import Digits, Exponential, LongTailDataModule
from lt_lightning.samplers import ClassBalanced, InstanceBalanced


def tiny():
    return ResNetCIFAR(depth=8, width=4)


def build_data(staged=True, **changes):
    samplers = {"stage1": InstanceBalanced(), "stage2": ClassBalanced()}
    return LongTailDataModule(
        source=Digits(size=8),
        profile=Exponential(imbalance_ratio=20),
        batch_size=64,
        augment=RandomCropFlip(padding=1),
        samplers=samplers if staged else None,
        **changes,
    )


class Saves(Callback):
    """Saves a checkpoint at the end of each epoch, and in the middle of it."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if batch_idx == 1:
            trainer.save_checkpoint(self.folder / f"middle-{trainer.current_epoch}.ckpt")

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.save_checkpoint(self.folder / f"end-{trainer.current_epoch}.ckpt")


def fit(make, epochs, folder, *, data=None, ckpt_path=None, callbacks=(), **options):
    """Build the method `make(data)` and fit it; returns the module."""
    L.seed_everything(5, verbose=False)
    data = data or build_data()
    module = make(data)
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **options,
    )
    trainer.fit(module, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    return module


def same_state(first, second):
    assert first.keys() == second.keys()
    return [key for key in first if not torch.equal(first[key], second[key])]


def two_stage(kind, **options):
    """Return what makes the method from its data: two epochs a stage, a tiny backbone."""
    lengths = {"stage1_epochs": 2, "stage2_epochs": 2}
    return lambda data: kind(
        class_counts=data.class_counts.tolist(), backbone=tiny, **{**lengths, **options}
    )
