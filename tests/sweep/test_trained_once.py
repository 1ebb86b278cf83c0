"""What a sweep trains once for all runs that begin with it."""

from pathlib import Path
from typing import Any

import pytest
from planned_jobs import ROOT, config_of, planned

from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.spec import groups_of


def test_second_stages_take_over_the_first_of_a_row_that_trains_nothing_else() -> None:
    jobs = planned(["crt", "ce", "lws"], ratios=[100, 10])
    assert list(jobs)[:3] == ["ce-100/seed0", "crt-100/seed0", "lws-100/seed0"]
    for row in ("crt", "lws"):
        for ratio in (100, 10):
            job = jobs[f"{row}-{ratio}/seed0"]
            assert job.needs == f"ce-{ratio}/seed0"
            checkpoint = f"runs/s/ce-{ratio}/seed0/checkpoints/last.ckpt"
            assert job.shared == (f"--model.stage1_ckpt={checkpoint}", "--trainer.max_epochs=10")
            assert job.epochs == 10


def test_without_such_a_row_the_first_of_two_stages_trains_it() -> None:
    jobs = planned(["crt", "lws", "dis_align"])
    assert jobs["crt/seed0"].needs is None
    assert jobs["crt/seed0"].epochs == 40
    assert jobs["lws/seed0"].needs == "crt/seed0"
    assert jobs["lws/seed0"].shared[0].endswith("crt/seed0/checkpoints/stage1.ckpt")
    assert jobs["dis_align/seed0"].needs is None  # another loss


@pytest.mark.parametrize("path", ["mine.Decoupled", "lt_lightning.methods.Decoupled"])
def test_a_method_from_outside_has_a_first_stage_of_its_own(path: str) -> None:
    """Trap: its penalty never acted, for it was given the first stage of plain ce."""

    def parse(words: list[str]) -> dict[str, Any]:
        found = config_of(words[1])
        model = {**found["model"], "class_path": path}
        return {**found, "model": model} if words[1] == "crt" else found

    jobs = plan(groups_of({"rows": ["ce", "crt"]}), ROOT, parse, lambda *_: None)
    assert jobs[1].needs == (None if path.startswith("mine") else "ce/seed0")
    twice = groups_of({"rows": ["crt", {"config": "crt", "name": "again"}]})
    first, second = plan(twice, ROOT, parse, lambda *_: None)
    assert second.needs == first.id


@pytest.mark.parametrize("other", ["ce_drw", "ssp_uniform"])
def test_what_trains_more_than_a_first_stage_is_none(other: str) -> None:
    assert planned([other, "crt"])["crt/seed0"].needs is None


def test_a_pre_training_of_two_rows_is_done_once() -> None:
    jobs = planned(["ssp_uniform", "ssp_balanced"])
    assert jobs["ssp_uniform/seed0"].shared == ()
    assert jobs["ssp_balanced/seed0"].needs == "ssp_uniform/seed0"
    assert jobs["ssp_balanced/seed0"].shared == (
        "--pretrain.config=null",
        "--pretrain.options=null",
        "--model.backbone_init=runs/s/ssp_uniform/seed0/pretrain",
    )


@pytest.mark.parametrize(
    ("callback", "shared"),
    [
        ("lightning.pytorch.callbacks.EarlyStopping", False),
        ("lightning.pytorch.callbacks.early_stopping.EarlyStopping", False),
        ("lightning.pytorch.callbacks.Timer", False),
        ("mine.StopAtNight", False),
        ("lightning.pytorch.callbacks.LearningRateMonitor", True),
    ],
)
def test_a_first_stage_that_may_end_early_is_taken_over_by_nobody(
    callback: str, shared: bool
) -> None:
    """Trap: five epochs of ce, which had stopped there, were taken for the twenty asked for."""

    def parse(words: list[str]) -> dict[str, Any]:
        found = config_of(words[1])
        callbacks = [{"class_path": callback, "init_args": {"monitor": "val/loss"}}]
        return {**found, "trainer": {**found["trainer"], "callbacks": callbacks}}

    jobs = plan(groups_of({"rows": ["ce", "crt"]}), ROOT, parse, lambda *_: None)
    assert jobs[1].needs == ("ce/seed0" if shared else None)


def test_what_was_deleted_is_taken_over_by_nobody(tmp_path: Path) -> None:
    """Trap: the second stage was sent to a checkpoint that was not there, at every start."""
    groups = groups_of({"rows": ["ce", "crt", "lws"]})

    def needs() -> list[str | None]:
        jobs = plan(groups, tmp_path, lambda words: config_of(words[1]), lambda *_: None)
        return [job.needs for job in jobs]

    (tmp_path / "ce" / "seed0").mkdir(parents=True)
    assert needs() == [None, "ce/seed0", "ce/seed0"]
    (tmp_path / "ce" / "seed0" / "results.json").touch()
    assert needs() == [None, None, "crt/seed0"]
