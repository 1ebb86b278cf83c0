"""Which alpha BBN trains with, and how large it is."""

import lightning as L
import pytest

from lt_lightning.errors import UserError
from lt_lightning.methods import BBN
from lt_lightning.schedule import (
    Constant,
    CosineDecay,
    LinearDecay,
    ParabolicDecay,
    ParabolicIncrement,
    StepAt,
)

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}

# alpha of the four epochs of a run of four, t = 0, 1/4, 1/2, 3/4
BY_HAND = [
    (ParabolicDecay(), [1.0, 0.9375, 0.75, 0.4375]),
    (ParabolicIncrement(), [0.0, 0.0625, 0.25, 0.5625]),
    (LinearDecay(), [1.0, 0.75, 0.5, 0.25]),
    (CosineDecay(), [1.0, 0.9238795, 0.7071068, 0.3826834]),
    (Constant(0.5), [0.5, 0.5, 0.5, 0.5]),
    (StepAt(at=0.6, before=1.0, after=0.0), [1.0, 1.0, 0.0, 0.0]),
]


class Alphas(L.Callback):
    def __init__(self):
        self.of_epochs, self.of_steps = [], []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        total, uniform, reversed_ = (
            float(outputs[name]) for name in ("loss", "loss_uniform", "loss_reversed")
        )
        self.of_steps.append((total - reversed_) / (uniform - reversed_))

    def on_train_epoch_end(self, trainer, module):
        self.of_epochs.append(float(trainer.callback_metrics["alpha"]))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        pytest.param(
            *case,
            id=type(case[0]).__name__,
            # tests/test_schedule.py has the values of all.
            marks=[]
            if type(case[0]).__name__ in ("ParabolicDecay", "StepAt")
            else pytest.mark.slow,
        )
        for case in BY_HAND
    ],
)
def test_alpha_of_each_epoch_is_that_of_the_schedule(lab, schedule, expected):
    alphas = Alphas()
    lab.fit(BBN, alphas, epochs=4, model={"alpha": schedule}, **SHORT)
    assert alphas.of_epochs == pytest.approx(expected, abs=1e-6)
    assert alphas.of_steps == pytest.approx([a for a in expected for _ in range(2)], abs=1e-3)


def test_published_run_ends_near_zero_and_never_at_it():
    alpha = ParabolicDecay()
    assert alpha(0, 200) == 1.0
    assert alpha(199, 200) == pytest.approx(0.009975)


def test_drawn_alpha_is_new_for_each_batch_and_the_same_in_a_second_run(lab):
    runs = []
    for _ in range(2):
        alphas = Alphas()
        lab.fit(BBN, alphas, epochs=3, model={"alpha_beta": 0.2}, **SHORT)
        runs.append(alphas.of_steps)
    first, second = runs
    assert first == second
    assert len({round(alpha, 6) for alpha in first}) == len(first)
    assert all(-1e-3 <= alpha <= 1 + 1e-3 for alpha in first)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_alpha_beta_out_of_range_is_refused(lab, value):
    with pytest.raises(UserError, match=r"alpha_beta is .*: give a number above 0"):
        lab.module(BBN, alpha_beta=value)


# stem and 3 stages of 5 blocks (463,504), one more block of 64 channels, Linear(128, C) with bias
BLOCK = 2 * 64 * 64 * 9 + 4 * 64


@pytest.mark.parametrize("classes", [10, 100])
def test_parameters_of_the_published_network(classes):
    module = BBN(class_counts=[5] * classes)
    expected = 463_504 + BLOCK + 128 * classes + classes
    assert sum(parameter.numel() for parameter in module.parameters()) == expected
    assert expected == {10: 538_778, 100: 550_388}[classes]
