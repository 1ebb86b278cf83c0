"""A run that was stopped anywhere and resumed ends like one that never was, bit for bit.

Here the stop is an exception, so that many places can be tried; test_sigkill.py kills processes.
"""

import os
import random
import signal

import pytest
from lt_runs import (
    STEPS,
    assert_same,
    assert_same_end,
    checkpoint,
    in_process,
    results,
    rows,
    tiny,
)

from lt_lightning.methods import LongTailModule

EVERY = 4
HELD_OUT = ("--data.holdout.fraction", "0.2", "--data.batch_size", "26")  # 10 steps again


class Stopped(BaseException):
    """No error that anything could catch."""


def arguments(config, *more):
    return tiny(config, "--checkpoint.every_n_steps", str(EVERY), *more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of the run with these arguments that was never stopped; made once."""
    done = {}

    def get(*given):
        if given not in done:
            folder = tmp_path_factory.mktemp("whole")
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
                answer = in_process([*arguments(*given), "--name", "run"])
            assert answer.status == 0, answer.err
            done[given] = folder / "runs" / "run" / "0"
        return done[given]

    return get


def stop_at(step, monkeypatch):
    """Stop the training in its step number `step`, counted from 0, before the weights change."""
    seen, log_train = [], LongTailModule.log_train

    def stop(module, *args, **terms):
        seen.append(None)
        if len(seen) > step:
            raise Stopped
        return log_train(module, *args, **terms)

    monkeypatch.setattr(LongTailModule, "log_train", stop)


def stopped_run(step, given, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(Stopped):
            in_process([*arguments(*given), "--name", "run"])


def resumed_run(given):
    answer = in_process([*arguments(*given), "--name", "run", "--ckpt_path", "last"])
    assert answer.status == 0, answer.err
    return answer


CASES = {
    "early": (("ce",), EVERY),
    "first step of an epoch": (("ce",), STEPS),
    "last step of an epoch": (("ce",), 2 * STEPS - 1),
    "mixup draws again what it drew": (("mixup",), None),
    "two streams": (("bbn",), None),
    "validation and best checkpoint": (("ce", *HELD_OUT), 2 * STEPS - 1),
    "weights that came before the stop": (("ce_drw",), 2 * STEPS + EVERY + 2),
    "sampler that changes over the run": (("sampler_progressive",), STEPS + EVERY + 2),
}


QUICK = ("two streams",)


@pytest.mark.parametrize(
    "case", [pytest.param(k, marks=() if k in QUICK else pytest.mark.slow) for k in CASES]
)
def test_a_resumed_run_ends_with_the_same_bits(case, whole, here, monkeypatch):
    """Traps: a resumed epoch starts its images anew; on_train_epoch_start is not called in it.

    Mixup's draws, class weights, sampling shares and alpha of that epoch must be those of a run
    that was never stopped, though the hook that sets such things elsewhere never comes.
    """
    given, step = CASES[case]
    step = random.randrange(EVERY, 3 * STEPS) if step is None else step
    print("stopped in step", step)
    stopped_run(step, given, monkeypatch)
    folder = here / "runs" / "run" / "0"
    saved = checkpoint(folder)["global_step"]
    assert step - EVERY < saved <= step
    resumed_run(given)
    reference = whole(*given)
    assert_same_end(folder, reference)
    assert (folder / "checkpoints" / "best.ckpt").is_file() == ("--data.holdout.fraction" in given)
    if (folder / "checkpoints" / "best.ckpt").is_file():
        a, b = (checkpoint(f, "best") for f in (folder, reference))
        assert_same(a["state_dict"], b["state_dict"])
    assert rows(folder) == rows(reference)


@pytest.mark.slow
def test_a_finished_run_is_left_as_it_is(here):
    answer = in_process([*arguments("ce"), "--name", "run"])
    assert answer.status == 0, answer.err
    folder = here / "runs" / "run" / "0"
    before = checkpoint(folder), (folder / "metrics.csv").read_bytes(), results(folder)
    assert "is finished, nothing was changed" in resumed_run(("ce",)).err
    assert_same(checkpoint(folder)["state_dict"], before[0]["state_dict"])
    assert (folder / "metrics.csv").read_bytes() == before[1]
    assert results(folder) == before[2]
    assert [p.name for p in (here / "runs" / "run").iterdir()] == ["0"]


@pytest.mark.slow
def test_a_run_stopped_in_its_test_is_tested_when_resumed(here, whole, monkeypatch):
    def stop(*_):
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(LongTailModule, "test_step", stop)
        with pytest.raises(Stopped):
            in_process([*arguments("ce"), "--name", "run"])
    folder = here / "runs" / "run" / "0"
    assert not (folder / "results.json").exists()
    resumed_run(("ce",))
    assert_same_end(folder, whole("ce"))
    assert rows(folder) == rows(whole("ce"))


@pytest.mark.slow
def test_sigterm_is_no_success(here, whole, monkeypatch):
    """Trap: Lightning turns SIGTERM into an exit with status 0, as if the training were done."""
    log_train, seen = LongTailModule.log_train, []

    def terminated(*args, **terms):
        seen.append(None)
        if len(seen) == STEPS + EVERY + 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return log_train(*args, **terms)

    monkeypatch.setattr(LongTailModule, "log_train", terminated)
    answer = in_process([*arguments("bbn"), "--name", "run"])
    assert answer.status == 143
    assert answer.err.splitlines()[-1] == (
        "lt: stopped by SIGTERM; `--ckpt_path last` goes on from the last checkpoint."
    )
    assert not (here / "runs" / "run" / "0" / "results.json").exists()
    resumed_run(("bbn",))
    assert_same_end(here / "runs" / "run" / "0", whole("bbn"))


@pytest.mark.slow
def test_a_run_stopped_before_its_first_checkpoint_starts_anew(here, whole, monkeypatch):
    stopped_run(EVERY - 1, ("ce",), monkeypatch)
    answer = resumed_run(("ce",))
    assert "No run runs/run to go on with: starting anew." in answer.err
    assert_same_end(here / "runs" / "run" / "0", whole("ce"))
