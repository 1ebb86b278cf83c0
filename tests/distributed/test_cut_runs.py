"""A run that max_steps, max_time or an early stop cut goes on at that step, bit for bit."""

import json

import lt_many
import pytest
from lightning.pytorch.callbacks import Timer
from lt_runs import (
    STEPS,
    assert_same,
    assert_same_end,
    checkpoint,
    evaluations,
    in_process,
    results,
    rows,
    run,
    tiny,
)

from lt_lightning.mid_epoch import ends_here

SHORT = ("--trainer.max_epochs", "2")
CUT = STEPS + 7


def fit(name, config, *more):
    answer = in_process([*tiny(config, *SHORT), "--name", name, *more])
    assert answer.status == 0, answer.err
    return answer


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    done = {}

    def get(config, *more):
        if (config, more) not in done:
            folder = tmp_path_factory.mktemp("whole")
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
                fit("run", config, *more)
            done[config, more] = folder / "runs" / "run" / "0"
        return done[config, more]

    return get


def assert_same_run(folder, other):
    a, b = checkpoint(folder), checkpoint(other)
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "global_step"):
        assert_same(a[part], b[part], part)
    assert_same(a["loops"]["fit_loop"]["epoch_progress"], b["loops"]["fit_loop"]["epoch_progress"])
    assert evaluations(folder) == evaluations(other)
    assert rows(folder) == rows(other)


@pytest.mark.parametrize(
    "config",
    ["ce", *(pytest.param(name, marks=pytest.mark.slow) for name in ("bbn", "causal_tde", "bcl"))],
)
def test_a_run_cut_by_max_steps_goes_on_at_that_step(here, whole, config):
    """Trap: Lightning counts the epoch that it cuts as done; it ended at step 7 of 10, exit 0."""
    cut = fit("run", config, "--trainer.max_steps", str(CUT))
    folder = here / "runs" / "run" / "0"
    training = results(folder)["training"]
    assert (training["epochs"], training["planned_epochs"], training["steps"]) == (1, 2, CUT)
    assert results(folder)["evaluations"]["last"]["checkpoint"]["epoch"] == 1
    assert f"1 of 2, {CUT} steps" in cut.out
    fit("run", config, "--ckpt_path", "last")
    assert_same_run(folder, whole(config))
    training = results(folder)["training"]
    assert (training["epochs"], training["steps"]) == (2, 2 * STEPS)


def test_what_a_method_logs_by_itself_goes_on_too(here, whole):
    """Trap: Lightning keeps no sum in a checkpoint, so that the row was that of the second part."""
    own = ("--model", "talkative.Talkative")
    fit("run", "ce", *own, "--trainer.max_steps", str(CUT))
    fit("run", "ce", *own, "--ckpt_path", "last")
    folder = here / "runs" / "run" / "0"
    assert_same_run(folder, whole("ce", *own))
    row = rows(folder)[1]
    assert row["place"] == pytest.approx((STEPS - 1) / 2)
    assert row["own/once"] == 1
    assert row["own/min"] < row["own/mean_epoch"] < row["own/max"]
    assert row["own/count"] == row["own/count"] // 1 > 0


def test_a_run_in_float64_goes_on_with_all_its_digits(here, whole):
    """Trap: Lightning loads the weights first and makes them float64 then."""
    precise = ("--trainer.precision", "64-true")
    fit("run", "ce", *precise, "--trainer.max_steps", str(CUT))
    fit("run", "ce", *precise, "--ckpt_path", "last")
    assert_same_run(here / "runs" / "run" / "0", whole("ce", *precise))


@pytest.mark.distributed
@pytest.mark.timeout(600)
def test_the_record_of_three_processes_has_the_same_bytes(tmp_path):
    """Trap: each adds up its own images, and a sum over all of them is rounded elsewhere."""
    three = ("--data.batch_size", "30", "--trainer.devices", "3", "--trainer.strategy", "ddp")
    given = tiny("ce", *SHORT, *three, "--version", "a")
    calls = [
        ("--name", "whole"),
        ("--name", "run", "--trainer.max_steps", str(CUT)),
        ("--name", "run", "--ckpt_path", "last"),
    ]
    (tmp_path / "table.json").write_text(json.dumps([[*given, *more] for more in calls]))
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "3")
    answer = run(["table.json"], tmp_path, (*torchrun, lt_many.__file__))
    assert answer.status == 0, answer.err[-3000:]
    assert f"1 of 2, {CUT} steps" in answer.out
    folder, reference = (tmp_path / "runs" / name / "a" for name in ("run", "whole"))
    assert_same_end(folder, reference)
    record = (folder / "metrics.csv").read_bytes()
    assert record.count(b"train/loss") == 1
    assert record == (reference / "metrics.csv").read_bytes()


def stop_by_time(monkeypatch, batches):
    """Let the time be up in batch number `batches` of the run, counted from 1."""
    seen = []

    def check(self, trainer):
        seen.append(None)
        trainer.should_stop = trainer.should_stop or len(seen) > batches  # asked at the start too

    monkeypatch.setattr(Timer, "_check_time_remaining", check)


@pytest.mark.parametrize(
    ("more", "step"),
    [
        pytest.param((), CUT, marks=pytest.mark.slow),
        pytest.param(("--trainer.accumulate_grad_batches", "4"), 3 + 2, marks=pytest.mark.slow),
        pytest.param(
            ("--data.holdout.fraction", "0.2", "--data.batch_size", "26"),
            CUT,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_run_cut_by_max_time_goes_on_at_that_step(here, whole, monkeypatch, more, step):
    with monkeypatch.context() as patch:
        stop_by_time(patch, CUT)
        fit("run", "ce", "--trainer.max_time", "00:01:00:00", *more)
    folder = here / "runs" / "run" / "0"
    assert checkpoint(folder)["global_step"] == step
    fit("run", "ce", "--ckpt_path", "last", *more)
    assert_same_run(folder, whole("ce", *more))


@pytest.mark.slow
def test_a_second_stage_cut_in_mid_epoch_goes_on_there(here):
    """Trap: the resumed epoch has no start, where the stage was logged."""
    stages = ("--model.stage1_epochs", "1", "--model.stage2_epochs", "1")
    fit("whole", "crt", *stages)
    fit("run", "crt", *stages, "--trainer.max_steps", str(CUT))
    fit("run", "crt", *stages, "--ckpt_path", "last")
    have = checkpoint(here / "runs" / "run" / "0")["state_dict"]
    assert_same(have, checkpoint(here / "runs" / "whole" / "0")["state_dict"])
    assert [row.get("stage") for row in rows(here / "runs" / "run" / "0")][:2] == [1.0, 2.0]


def test_a_limit_that_is_not_reached_ends_nothing(make_standing):
    assert not ends_here(make_standing())
    assert ends_here(make_standing(max_steps=5))
    assert not ends_here(make_standing(max_steps=6))
    assert ends_here(make_standing(should_stop=True))
    assert not ends_here(make_standing(should_stop=True, min_epochs=2))
    assert not ends_here(make_standing(should_stop=True, min_steps=6))


@pytest.fixture
def make_standing():
    from types import SimpleNamespace

    at = {
        "max_steps": -1,
        "global_step": 5,
        "current_epoch": 1,
        "min_epochs": None,
        "min_steps": None,
        "should_stop": False,
    }
    return lambda **changes: SimpleNamespace(**{**at, **changes})
