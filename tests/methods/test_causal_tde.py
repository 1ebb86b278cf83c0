"""Causal TDE: the moving feature step by step, alpha, and both ways to test."""

import json

import lightning as L
import pytest
import torch

from lt_lightning.callbacks import RunRecord
from lt_lightning.engine.moving_feature import MovingFeature
from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead, NearestMeanHead
from lt_lightning.methods import ERM, CausalTDE
from lt_lightning.post_hoc import TotalDirectEffect

SHORT = {"limit_train_batches": 3, "limit_val_batches": 0}
WIDTH = 32  # both last blocks of the tiny network


class Moves(L.Callback):
    """Keeps the features of each batch, and the moving feature after it."""

    def __init__(self):
        self.features, self.after, self.rates = [], [], []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        own = module.moving.add

        def add(features, cosines):
            self.features.append(features.detach().clone())
            own(features, cosines)

        module.moving.add = add

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        del module.moving.add
        moving = module.moving
        self.after.append((moving.value.clone(), float(moving.alpha())))


def _cosine(x, c):
    """Return the mean over both heads."""
    total = 0.0
    for part in (slice(0, WIDTH // 2), slice(WIDTH // 2, WIDTH)):
        total += float(x[part] @ c[part] / (x[part].norm() * c[part].norm()).clamp_min(1e-12))
    return total / 2


def test_moving_feature_and_alpha_follow_the_equation(lab):
    moves = Moves()
    lab.fit(CausalTDE, moves, epochs=2, **SHORT)
    assert len(moves.features) == len(moves.after) == 6
    c, total, weight = torch.zeros(WIDTH), 0.0, 0.0
    for step, (features, (found, alpha)) in enumerate(
        zip(moves.features, moves.after, strict=True)
    ):
        if step:
            cosines = [_cosine(x, c) for x in features]
            total, weight = 0.9 * total + sum(cosines) / len(cosines), 0.9 * weight + 1
            assert alpha == pytest.approx(weight / total, rel=1e-4)
        else:
            assert alpha == 0  # no cosine was seen yet
        c = 0.9 * c + features.sum(0) / len(features)
        torch.testing.assert_close(found, c)


def test_momentum_follows_the_learning_rate_where_it_is_not_given(lab):
    moves = Moves()
    lab.fit(CausalTDE, moves, epochs=4, model={"momentum": None, "optimizer": _slow}, **SHORT)
    c = torch.zeros(WIDTH)
    used = set()
    for features, (found, _), rate in zip(moves.features, moves.after, moves.rates, strict=True):
        momentum = 1 - 0.1 * min(50 * rate, 1)
        used.add(round(momentum, 4))
        c = momentum * c + features.mean(0)
        torch.testing.assert_close(found, c)
    assert len(used) > 2
    assert min(used) == 0.9


def _slow(parameters):
    return torch.optim.SGD(parameters, lr=0.03)


def test_batches_of_one_step_move_it_once(lab):
    moves = Moves()
    lab.fit(CausalTDE, moves, epochs=1, accumulate_grad_batches=2, limit_train_batches=2)
    first, second = moves.features
    assert moves.after[0][0].eq(0).all()
    both = torch.cat([first, second]).mean(0)
    torch.testing.assert_close(moves.after[1][0], both)


def test_given_alpha_is_used_and_zero_is_training_in_eval_mode(lab, images):
    found = lab.fit(CausalTDE, epochs=1, **SHORT)
    module = found.module.eval()
    with torch.no_grad():
        plain = module.head(module.features(images))
        module.alpha = 0.0
        assert torch.equal(module.predict_logits(images), plain)
        module.alpha = 1.5
        changed = module.predict_logits(images)
        effect = module.head.direct_effect(module.features(images), module.moving.value, 1.5)
    assert torch.equal(changed, effect)
    assert (changed - plain).abs().max() > 0.1
    module.alpha = None


def test_validation_before_the_first_step_is_finite(lab):
    found = lab.fit(CausalTDE, _Sane(), epochs=1, num_sanity_val_steps=1, limit_train_batches=1)
    assert found.metrics["val/acc_without_tde"] >= 0


class _Sane(L.Callback):
    def on_sanity_check_end(self, trainer, module):
        images = torch.rand(4, 3, 16, 16)
        module.eval()
        with torch.no_grad():
            assert module.predict_logits(images).isfinite().all()
            assert torch.equal(module(images), module.head(module.features(images)))
        module.train()


def test_test_is_written_with_and_without_it(lab, tmp_path):
    found = lab.fit(CausalTDE, epochs=2, model={"alpha": 2.0})
    trainer = lab.trainer(RunRecord(str(tmp_path)))
    (logged,) = trainer.test(found.module, datamodule=found.data, verbose=False)
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["evaluations"]
    assert set(written) == {"last", "last+without_tde"}
    assert written["last"]["tde_alpha"] == 2.0
    module = found.module.eval()
    with torch.no_grad():
        for label, logits, end in (
            ("last", module.predict_logits, ""),
            ("last+without_tde", lambda x: module.head(module.features(x)), "_without_tde"),
        ):
            pairs = [(logits(x).argmax(1), y) for x, y in found.data.eval_loader("test")]
            right = sum(int((p == y).sum()) for p, y in pairs) / sum(len(y) for _, y in pairs)
            assert written[label]["overall"]["acc"] == pytest.approx(right)
            assert logged[f"test/acc{end}"] == pytest.approx(right)
            macro = written[label]["overall"]["acc_macro"]
            assert logged[f"test/acc_macro{end}"] == pytest.approx(macro)
    assert written["last+without_tde"]["checkpoint"]["chosen_by"] == "last epoch, then without_tde"


def test_change_after_training_is_tested_alone(lab, tmp_path):
    found = lab.fit(CausalTDE, epochs=1, **SHORT)
    features = torch.rand(10, WIDTH)
    found.module.head = NearestMeanHead(features, torch.arange(10) % 5, 5)
    record = RunRecord(str(tmp_path))
    record.evaluation = "last+ncm"
    lab.trainer(record).test(found.module, datamodule=found.data, verbose=False)
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["evaluations"]
    assert set(written) == {"last+ncm"}
    assert "tde_alpha" not in written["last+ncm"]


@pytest.mark.slow
def test_another_alpha_is_tested_alone(lab, tmp_path):
    found = lab.fit(CausalTDE, epochs=1, **SHORT)
    change, record = TotalDirectEffect(1.5), RunRecord(str(tmp_path))
    change.apply(found.module, found.data)
    record.evaluation = f"last+{change.describe()}"
    lab.trainer(record).test(found.module, datamodule=found.data, verbose=False)
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["evaluations"]
    assert set(written) == {"last+tde_alpha_1.5"}
    assert written["last+tde_alpha_1.5"]["tde_alpha"] == 1.5
    assert change.fitted_on is None


def test_alpha_is_chosen_on_held_out_images(lab):
    found = lab.fit(CausalTDE, epochs=2)
    module, change = found.module.eval(), TotalDirectEffect(None)
    accuracy = {}
    for step in range(31):
        module.alpha, hits, images = step / 10, [0] * 5, [0] * 5
        for x, y in found.data.eval_loader("val"):
            with torch.no_grad():
                predicted = module.predict_logits(x).argmax(1)
            for right, label in zip((predicted == y).tolist(), y.tolist(), strict=True):
                hits[label] += right
                images[label] += 1
        accuracy[step / 10] = sum(h / n for h, n in zip(hits, images, strict=True)) / 5
    change.apply(module, found.data)
    assert change.fitted_on == "held-out"
    assert change.alpha == max(accuracy, key=accuracy.get)
    assert len(set(accuracy.values())) > 1


def test_alpha_of_another_method_is_refused(lab):
    found = lab.fit(ERM, epochs=1, **SHORT)
    with pytest.raises(UserError, match=r"for runs of CausalTDE, this one is of ERM: leave it out"):
        TotalDirectEffect(1.0).apply(found.module, found.data)


@pytest.mark.parametrize("alpha", [-0.1, float("nan"), float("inf")])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(UserError, match=f"alpha is {alpha}: give 0 or more, or null"):
        TotalDirectEffect(alpha)


def test_half_precision_module_keeps_a_wide_moving_feature():
    moving = MovingFeature(4).bfloat16()
    assert {b.dtype for b in moving.buffers()} == {torch.float32}
    moving.add(torch.ones(2, 4, dtype=torch.bfloat16), torch.zeros(2, 2))
    moving.step(0.9)
    assert moving.value.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"alpha": -1.0}, r"alpha is -1\.0"),
        ({"alpha": float("nan")}, "alpha is nan"),
        ({"momentum": 1.0}, r"momentum is 1\.0"),
        ({"head": LinearHead}, "needs the head CausalNormHead but has LinearHead"),
    ],
)
def test_bad_option_is_refused(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(CausalTDE, **options)
