"""ERM with class weights or a loss that come late in the run, also where it is resumed."""

import copy
import math

import lightning as L
import numpy as np
import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead
from lt_lightning.losses import (
    LDAM,
    BalancedGroupSoftmax,
    CrossEntropy,
    EffectiveNumber,
    InfluenceBalanced,
    InverseFrequency,
    SupervisedContrastive,
)
from lt_lightning.methods import ERM, HybridContrastive
from lt_lightning.schedule import StepAt

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}
COUNTS = [12, 8, 6, 4, 3]
INVERSE = [3 / count for count in COUNTS]  # n_min / n_c
ONES = [1.0] * 5
LATE = {"deferred_weights": InverseFrequency(), "deferral": StepAt(at=0.5)}


class Steps(L.Callback):
    def __init__(self, stop_after=None):
        self.weights, self.steps, self.stop_after = [], [], stop_after

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.before = copy.deepcopy((module.backbone, module.head))

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.weights.append(module.loss.weight.tolist())
        loss = float(outputs["loss"].detach())
        self.steps.append((trainer.current_epoch, *self.before, batch, loss))

    def on_train_epoch_end(self, trainer, module):
        trainer.should_stop = trainer.should_stop or trainer.current_epoch == self.stop_after


def _fit(lab, model, epochs=4, stop_after=None, ckpt_path=None):
    steps = Steps(stop_after)
    found = lab.fit(ERM, steps, epochs=epochs, model=model, ckpt_path=ckpt_path, **SHORT)
    return found, steps


def test_weights_come_with_the_first_step_of_their_epoch(lab):
    _, steps = _fit(lab, LATE)
    expected = [ONES] * 4 + [INVERSE] * 4
    assert steps.weights == [pytest.approx(row) for row in expected]


@torch.no_grad()
def test_loss_is_weighted_from_that_epoch_on(lab):
    _, steps = _fit(lab, LATE)
    for epoch, backbone, head, (images, targets), loss in steps.steps:
        weight = INVERSE if epoch >= 2 else ONES
        rows = zip(head(backbone(images)).softmax(1).tolist(), targets.tolist(), strict=True)
        parts = [(weight[y], -math.log(row[y])) for row, y in rows]
        expected = sum(w * value for w, value in parts) / sum(w for w, _ in parts)
        assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("stop_after", "expected"),
    [(0, [ONES] * 2 + [INVERSE] * 4), (1, [INVERSE] * 4), (2, [INVERSE] * 2)],
)
def test_resumed_run_has_the_weights_of_its_epoch(lab, tmp_path, stop_after, expected):
    part, _ = _fit(lab, LATE, stop_after=stop_after)
    part.trainer.save_checkpoint(tmp_path / "a.ckpt")
    _, steps = _fit(lab, LATE, ckpt_path=tmp_path / "a.ckpt")
    assert steps.weights == [pytest.approx(row) for row in expected]


def test_weights_of_a_late_checkpoint_leave_where_a_longer_run_is_not_late(lab, tmp_path):
    part, steps = _fit(lab, LATE)
    assert steps.weights[-1] == pytest.approx(INVERSE)
    part.trainer.save_checkpoint(tmp_path / "a.ckpt")
    _, steps = _fit(lab, LATE, epochs=12, ckpt_path=tmp_path / "a.ckpt")
    assert steps.weights == [pytest.approx(row) for row in [ONES] * 4 + [INVERSE] * 12]


def test_default_deferral_is_the_last_fifth():
    deferral = ERM(class_counts=COUNTS).deferral
    assert [deferral(epoch, 200) for epoch in (0, 159, 160, 199)] == [0, 0, 1, 1]


def _influence(row, y, feature):
    """1000 CE / (|p - onehot|_1 |h|_1 + 0.001)"""
    error = sum(abs(p - (k == y)) for k, p in enumerate(row))
    return 1000 * -math.log(row[y]) / (error * sum(abs(h) for h in feature) + 1e-3)


@torch.no_grad()
def test_deferred_loss_takes_over_at_its_epoch(lab):
    model = {"deferred_loss": InfluenceBalanced, "deferral": StepAt(at=0.5)}
    _, steps = _fit(lab, model)
    weight = [5 / count / sum(1 / n for n in COUNTS) for count in COUNTS]
    for epoch, backbone, head, (images, targets), loss in steps.steps:
        features = backbone(images)
        rows = zip(
            head(features).softmax(1).tolist(), targets.tolist(), features.tolist(), strict=True
        )
        values = [
            weight[y] * _influence(row, y, feature) if epoch >= 2 else -math.log(row[y])
            for row, y, feature in rows
        ]
        assert loss == pytest.approx(sum(values) / len(values), rel=1e-3)


def test_deferred_loss_is_resumed(lab, tmp_path):
    model = {"deferred_loss": InfluenceBalanced, "deferral": StepAt(at=0.5)}
    whole, _ = _fit(lab, model)
    part, _ = _fit(lab, model, stop_after=2)
    part.trainer.save_checkpoint(tmp_path / "a.ckpt")
    rest, _ = _fit(lab, model, ckpt_path=tmp_path / "a.ckpt")
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, rest.module.state_dict()[name]), name


def _weighted(class_counts):
    return CrossEntropy(class_counts, weights=EffectiveNumber(beta=0.9))


def _cosine(features, outputs):
    return CosineHead(features, outputs, scale=30.0)


def _fine_groups(class_counts):
    return BalancedGroupSoftmax(class_counts, boundaries=(5,))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"loss": _weighted, "deferred_weights": EffectiveNumber()}, "CrossEntropy has class"),
        (
            {"deferred_loss": _weighted, "deferred_weights": EffectiveNumber()},
            "deferred_weights and deferred_loss CrossEntropy are both given",
        ),
        ({"deferred_loss": LDAM}, "LDAM needs cosine logits but the head is LinearHead"),
        ({"deferred_loss": _fine_groups}, "needs a head of 5 outputs and the deferred loss"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(ERM, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"loss": LDAM}, "LDAM needs cosine logits but the head is LinearHead: set --model.head"),
        (
            {"loss": LDAM, "head": lambda d, c: CosineHead(d, c, scale=16.0)},
            "LDAM has scale 30 and CosineHead has scale 16: give both the same",
        ),
        (
            {"head": lambda d, c: CosineHead(d, c, scale=1.0)},
            r"CosineHead with scale 1 gives logits in \[-1, 1\]",
        ),
    ],
)
def test_head_and_loss_of_different_scale_are_refused(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(ERM, **options)


def test_margin_loss_goes_with_its_cosine_head(lab):
    found, _ = _fit(lab, {"loss": LDAM, "head": _cosine, **LATE}, epochs=2)
    assert all(math.isfinite(value) for value in found.watch.losses)


def test_a_loss_per_image_is_refused_where_one_number_is_needed(lab):
    with pytest.raises(UserError, match="CrossEntropy has the reduction none"):
        lab.module(ERM, loss=lambda counts: CrossEntropy(counts, reduction="none"))
    with pytest.raises(UserError, match="SupervisedContrastive has the reduction none"):
        lab.module(
            HybridContrastive,
            feature_loss=lambda counts, width: SupervisedContrastive(
                counts, width, reduction="none"
            ),
        )


def test_class_counts_may_be_an_array(lab):
    counts = np.array([9, 8, 7, 6, 5])
    module = lab.module(ERM, class_counts=counts)
    assert module.loss.class_counts.tolist() == counts.tolist()
    assert module.hparams["class_counts"] == counts.tolist()
