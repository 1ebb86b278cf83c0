"""Both stages through the real `lt`: killed anywhere, on one process and on two."""

import signal

import lt_killed
import pytest
from lt_runs import CONFIGS, STEPS, assert_same, assert_same_end, checkpoint, run

KILLED = (lt_killed.__file__,)
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp")
FIRST, SECOND = 2, 2  # epochs of the stages


def arguments(config, *more):
    """Return the arguments of two tiny stages of 10 steps an epoch."""
    return [
        *("fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml")),
        *("--trainer.accelerator", "cpu", "--checkpoint.every_n_steps", "4"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.augment.padding", "1", "--data.batch_size", "32"),
        *("--data.drop_last", "true", "--model.lr_schedule.warmup_epochs", "1"),
        *("--name", "run", *more),
    ]


def staged(config, *more):
    lengths = ("--model.stage1_epochs", str(FIRST), "--model.stage2_epochs", str(SECOND))
    return arguments(config, *lengths, *more)


def killed(step, given, folder):
    answer = run(given, folder, KILLED, DIE_IN_STEP=str(step))
    assert answer.status != 0
    resumed = run([*given, "--ckpt_path", "last"], folder)
    assert resumed.status == 0, resumed.err
    return folder / "runs" / "run" / "0"


def whole(given, folder):
    folder.mkdir()
    answer = run(given, folder)
    assert answer.status == 0, answer.err
    return folder / "runs" / "run" / "0"


STEPS_OF = {
    "in stage 1": STEPS + 5,
    "at the change": FIRST * STEPS,
    "in stage 2": FIRST * STEPS + 7,
}


@pytest.mark.slow
@pytest.mark.parametrize("config", ["crt", "mislas"])
def test_killed_in_either_stage(config, tmp_path):
    given = staged(config)
    reference = whole(given, tmp_path / "whole")
    for place, step in STEPS_OF.items():
        (tmp_path / place).mkdir()
        folder = killed(step, given, tmp_path / place)
        assert_same_end(folder, reference)
        assert checkpoint(folder)["lt_stage"] == 2


@pytest.mark.distributed
@pytest.mark.parametrize("place", STEPS_OF)
def test_two_processes_killed_in_either_stage(place, tmp_path):
    given = staged("crt", *TWO)
    reference = whole(given, tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    assert_same_end(killed(STEPS_OF[place], given, tmp_path / "cut"), reference)


@pytest.mark.distributed
def test_one_fit_of_two_processes_equals_two_fits(tmp_path):
    both = whole(staged("crt", *TWO), tmp_path / "both")
    epochs = ("--trainer.max_epochs", str(FIRST))
    first = whole(arguments("ce", *epochs, *TWO), tmp_path / "first")
    skipped = ("--model.stage1_ckpt", str(first), "--model.stage2_epochs", str(SECOND))
    second = whole(arguments("crt", *skipped, *TWO), tmp_path / "second")
    assert_same(checkpoint(both)["state_dict"], checkpoint(second)["state_dict"])


@pytest.mark.slow
def test_the_killer_kills(tmp_path):
    """Else the tests above would show nothing."""
    answer = run(arguments("ce", "--trainer.max_epochs", "1"), tmp_path, KILLED, DIE_IN_STEP="1")
    assert answer.status == -signal.SIGKILL
