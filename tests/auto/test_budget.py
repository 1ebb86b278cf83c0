"""What fits into the time."""

import pytest

from lt_lightning.auto import STEPS
from lt_lightning.auto.budget import ENOUGH, FEWEST, Speed, needed, plan

SPEED = Speed(epoch=10, around=5, change=2, ending=20)


def whole(epochs, done=0, steps=STEPS, speed=SPEED):
    return speed.whole(steps, epochs, done)


def test_with_time_for_all_the_trainings_are_as_long_as_fits():
    epochs = plan(SPEED, 3600, most=1000, done=0)
    assert whole(epochs) <= 3600 < whole(epochs + 1)
    assert epochs > 60


def test_there_is_a_longest_training():
    assert plan(SPEED, 10**9, most=200, done=1) == 200


def test_an_epoch_that_is_behind_it_is_not_paid_twice():
    exact = whole(40, done=1)
    assert plan(SPEED, exact, most=1000, done=1) == 40
    assert plan(SPEED, exact - 1, most=1000, done=1) == 39
    assert plan(SPEED, exact, most=1000, done=0) == 39


@pytest.mark.parametrize("given_up", [1, 2, 3])
def test_steps_are_given_up_before_the_baseline_gets_too_short(given_up):
    steps = STEPS[:-given_up]
    left = whole(ENOUGH, steps=steps)
    assert plan(SPEED, left, most=1000, done=0) == ENOUGH
    assert whole(ENOUGH, steps=STEPS[: len(steps) + 1]) > left


def test_a_short_baseline_is_better_than_none():
    least = needed(SPEED, most=1000, done=0)
    assert plan(SPEED, least, most=1000, done=0) == FEWEST
    assert plan(SPEED, least - 1, most=1000, done=0) == 0


def test_a_longest_training_of_few_epochs_is_enough():
    assert plan(SPEED, needed(SPEED, most=2, done=0), most=2, done=0) == 2


def test_what_is_given_to_lt(tmp_path):
    base = tmp_path / "ce" / "0"
    words = {step.name: step.command(tmp_path, ["--data.root=D"], base, 30) for step in STEPS}
    for name, command in words.items():
        assert "--test_on=held_out" in command, name
    assert words["tau_norm"][:3] == ["test", str(base), "--post_hoc=TauNormalization"]
    times = words["multiplicative_adjustment"]
    assert times[2:3] == ["--post_hoc=MultiplicativeLogitAdjuster"]
    assert "--post_hoc.tau=0.1" in times, "nothing is fitted on the images that choose"
    assert "--trainer.max_epochs=30" in words["balanced_softmax"]
    crt, mislas = words["crt"], words["mislas"]
    assert {f"--model.stage1_ckpt={base}", "--model.stage2_epochs=10"} <= set(crt)
    assert {"--model.stage1_epochs=30", "--model.stage2_epochs=10"} <= set(mislas)
    assert crt.index("--data.root=D") < crt.index("--model.stage2_epochs=10")
