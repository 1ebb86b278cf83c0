"""Fits with tuning: what moves, where the head starts, and steps of several batches."""

import lightning as L
import pytest
import torch
from tiny_vit import TinyViT

from lt_lightning.callbacks import EpochLines
from lt_lightning.data import AsIs, Digits, LongTailDataModule
from lt_lightning.heads import CosineHead
from lt_lightning.losses import LogitAdjustment
from lt_lightning.methods import ERM
from lt_lightning.recipes import CosineRecipe
from lt_lightning.tuning import AdaptFormer


class FewDigits(Digits):
    """Twenty training images of 16x16, the first of each class twice, and as many to test."""

    def train_counts(self, root):
        return torch.full((10,), 2)

    def load(self, root):
        whole = super().load(root)
        return {name: self._two(images) for name, images in whole.items()}

    @staticmethod
    def _two(images):
        rows = [torch.where(images.labels == c)[0][:2] for c in range(10)]
        return images.select(torch.cat(rows))


def data(batch_size=10):
    source = FewDigits(size=16)
    return LongTailDataModule(source, profile=AsIs(), batch_size=batch_size, augment=None)


def fit(module, batch_size=10, epochs=2, **options):
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        **options,
    )
    trainer.fit(module, datamodule=data(batch_size))
    return trainer


def lifted(lr):
    torch.manual_seed(0)
    return ERM(
        class_counts=[2] * 10,
        backbone=TinyViT,
        head=lambda d, c: CosineHead(d, c, scale=25),
        head_start="class_means",
        loss=LogitAdjustment,
        tuning=AdaptFormer(bottleneck=2),
        optimizer=lambda groups: torch.optim.SGD(groups, lr=lr, momentum=0.9),
        lr_schedule=CosineRecipe(),
    )


def test_head_starts_from_the_class_means_of_the_frozen_features():
    module = lifted(lr=0.0)
    fit(module, epochs=1)
    loader = module.trainer.datamodule.whole("train")
    with torch.no_grad():
        pairs = [(module.eval().features(x), y) for x, y in loader]
    features, targets = torch.cat([x for x, _ in pairs]), torch.cat([y for _, y in pairs])
    for c in range(10):
        mean = sum(features[i] for i in range(len(targets)) if targets[i] == c)
        torch.testing.assert_close(module.head.weight[c], mean / mean.norm())


def test_adapters_and_head_move_and_nothing_else():
    module = lifted(lr=0.05)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    fit(module)
    moved = {n for n, v in module.state_dict().items() if not torch.equal(v, before[n])}
    assert "head.weight" in moved
    assert {n for n in moved if n.startswith("backbone.")} == {
        n for n in before if ".adapter." in n and n.startswith("backbone.")
    }


def plain(rate=0.5):
    torch.manual_seed(0)
    return ERM(
        class_counts=[2] * 10,
        backbone=TinyViT,
        optimizer=lambda params: torch.optim.SGD(params, lr=rate, momentum=0.9),
        lr_schedule=CosineRecipe(),
    )


def test_a_step_of_two_batches_is_that_of_one_twice_as_large(monkeypatch):
    """Weights, learning rates, the logged loss and the lines of the epochs are the same."""
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    found = []
    for batch_size, steps in ((10, 1), (5, 2)):
        module, lines = plain(), EpochLines()
        trainer = fit(module, batch_size, accumulate_grad_batches=steps, callbacks=[lines])
        assert trainer.global_step == 2 * 2
        logged = {k: float(v) for k, v in trainer.callback_metrics.items()}
        found.append((module.state_dict(), logged))
    (whole, logged), (parts, also) = found
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=1e-6)
    assert also == pytest.approx(logged, rel=1e-4)
