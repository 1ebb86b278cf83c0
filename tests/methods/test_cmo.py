"""CMO: which epochs are mixed, and what is lost on a mixed batch."""

import copy
import math

import lightning as L
import pytest
import torch

from lt_lightning.augment import paste
from lt_lightning.errors import UserError
from lt_lightning.losses import InfluenceBalanced
from lt_lightning.methods import CMO

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}


class Steps(L.Callback):
    """Keeps the loss of each step beside that of the same network on the plain background."""

    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.network = copy.deepcopy((module.backbone, module.head))
        self.generator = module.step_generator(batch_idx)

    @torch.no_grad()
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        images, targets = batch["background"]
        mixed = paste(
            batch["background"], batch["foreground"], self.generator, alpha=1.0, probability=1.0
        )
        share = float(mixed.share[0])
        first, second = mixed.targets_a.tolist(), mixed.targets_b.tolist()
        with_patch = self._loss(mixed.images, first, share)
        with_patch += self._loss(mixed.images, second, 1 - share)
        plain = self._loss(images, targets.tolist(), 1.0)
        loss = float(outputs["loss"].detach())
        self.steps.append((trainer.current_epoch, loss, plain, with_patch))

    def _loss(self, images, targets, share):
        backbone, head = copy.deepcopy(self.network)
        chances = head(backbone(images)).softmax(1).tolist()
        losses = [-math.log(row[y]) for row, y in zip(chances, targets, strict=True)]
        return share * sum(losses) / len(losses)


def _steps(lab, epochs, **model):
    steps = Steps()
    lab.fit(CMO, steps, epochs=epochs, model={"probability": 1.0, **model}, **SHORT)
    return steps.steps


def test_first_and_last_epochs_are_plain_and_the_others_mixed(lab):
    found = _steps(lab, 5, plain_first=1, plain_last=2)
    assert [epoch for epoch, *_ in found] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    for stretch in (found[:2], found[2:6], found[6:]):  # a box can be cut away, not all of them
        assert any(abs(plain - with_patch) > 1e-2 for *_, plain, with_patch in stretch)
    for epoch, loss, plain, with_patch in found:
        expected = with_patch if epoch in (1, 2) else plain
        assert loss == pytest.approx(expected, rel=1e-3)


def test_short_run_can_be_plain_altogether(lab):
    for _, loss, plain, _ in _steps(lab, 2, plain_first=3, plain_last=3):
        assert loss == pytest.approx(plain, rel=1e-3)


def test_probability_zero_is_plain_training(lab):
    for _, loss, plain, _ in _steps(lab, 1, probability=0.0):
        assert loss == pytest.approx(plain, rel=1e-3)


def test_authors_leave_three_epochs_at_both_ends_plain(lab):
    module = CMO(class_counts=[5, 3])
    assert (module.plain_first, module.plain_last, module.probability) == (3, 3, 0.5)


def test_loss_that_needs_features_gets_them(lab):
    found = lab.fit(CMO, epochs=1, model={"loss": InfluenceBalanced}, **SHORT)
    assert math.isfinite(found.watch.losses[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"plain_first": -1}, "plain_first is -1"),
        ({"plain_last": -2}, "plain_last -2"),
        ({"alpha": 0.0}, r"alpha is 0\.0"),
        ({"probability": 1.5}, r"probability is 1\.5"),
    ],
)
def test_number_out_of_range_is_refused_before_the_run(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(CMO, **options)
