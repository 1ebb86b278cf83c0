"""Short fits of one method, the same each time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning as L
import torch

from lt_lightning.data import LongTailDataModule
from lt_lightning.methods import LongTailModule
from lt_lightning.testing.expect import that
from lt_lightning.testing.fit_callbacks import Watch
from lt_lightning.testing.toy import toy_backbone

_STEPS = 2
MethodMaker = Callable[..., LongTailModule]
DataMaker = Callable[[], LongTailDataModule]


@dataclass
class Whole:
    """A fit from its beginning to its end.

    Attributes:
        module: after it.
        watch: what was seen in it.
    """

    module: LongTailModule
    watch: Watch


@dataclass
class Runs:
    """Makes modules and short fits of one method."""

    method: MethodMaker
    options: dict[str, Any]
    data: DataMaker
    epochs: int
    folder: Path

    def module(self, data: LongTailDataModule) -> LongTailModule:
        """Return a fresh module, the same each time."""
        settings = {
            "class_counts": data.class_counts.tolist(),
            "class_names": data.class_names,
            "groups": data.groups,
            "backbone": toy_backbone,
            **self.options,
        }
        torch.manual_seed(0)
        return built(self.method, settings)

    def fit(self, *callbacks: L.Callback, ckpt_path: Path | None = None) -> L.Trainer:
        """Train for a few steps per epoch."""
        data = self.data()
        data.setup("fit")
        trainer = L.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=self.epochs,
            limit_train_batches=_STEPS,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=self.folder,
            callbacks=list(callbacks),
        )
        trainer.fit(self.module(data), datamodule=data, ckpt_path=ckpt_path, weights_only=True)
        return trainer

    @cached_property
    def whole(self) -> "Whole":
        """The one fit that is not disturbed, which several checks look at."""
        watch = Watch()
        return Whole(module_of(self.fit(watch)), watch)


def built(method: MethodMaker, settings: dict[str, Any]) -> LongTailModule:
    """Return the module, or say what its constructor lacks."""
    try:
        module = method(**settings)
    except (AttributeError, TypeError) as error:
        text = f"the constructor fails ({error}): begin it with super().__init__(**kwargs)"
        raise AssertionError(text) from error
    begun = isinstance(module, LongTailModule) and "_parameters" in vars(module)
    that(begun and bool(module.hparams), "the constructor does not call super().__init__(**kwargs)")
    return module


def module_of(trainer: L.Trainer) -> LongTailModule:
    """Return the module of a trainer."""
    module = trainer.lightning_module
    assert isinstance(module, LongTailModule)
    return module
