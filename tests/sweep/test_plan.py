"""The runs of a sweep: their order, and what is trained once."""

from pathlib import Path
from typing import Any

import pytest

from lt_lightning.errors import Refused, UserError
from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.record import Record, merged
from lt_lightning.sweep.spec import groups_of

ROOT = Path("runs/s")
_STAGE1 = {
    "mixing": None, "backbone": "r32", "head": "linear", "loss": "ce", "optimizer": "sgd",
    "lr_schedule": "cosine", "backbone_init": None, "channels_last": True, "compile": False,
}  # fmt: skip
_ONE = {
    "mixing_schedule": None,
    "deferred_weights": None,
    "deferred_loss": None,
    "tuning": None,
    "head_start": "random",
}
_TWO = {"stage1_epochs": 30, "stage2_epochs": 10, "stage1_ckpt": None}
_TRAINER = {"max_epochs": 30, "max_steps": -1, "max_time": None}
_DATA = {"batch_size": 64, "sampler": "instance", "samplers": None}


def _config(of: str) -> dict[str, Any]:
    """Return what `lt fit --print_config` would say of a config."""
    model = {"class_path": "lt_lightning.methods.ERM", "init_args": {**_STAGE1, **_ONE}}
    found: dict[str, Any] = {"trainer": _TRAINER, "model": model, "data": _DATA, "pretrain": {}}
    if of in ("crt", "lws", "dis_align"):
        model["class_path"] = "lt_lightning.methods.Decoupled"
        model["init_args"] = {**_STAGE1, **_TWO, "loss": "ldam" if of == "dis_align" else "ce"}
        found["data"] = {**_DATA, "sampler": None, "samplers": {"stage1": "instance"}}
        found["trainer"] = {**_TRAINER, "max_epochs": None}
    if of == "ce_drw":
        model["init_args"] = {**_STAGE1, **_ONE, "deferred_weights": "effective"}
    if of.startswith("ssp"):
        found["pretrain"] = {"config": "ssp_rotation.yaml", "options": None}
        model["init_args"] = {**_STAGE1, **_ONE, "loss": of}
    return found


def _plan(rows: list[Any], **more: Any) -> dict[str, Any]:
    jobs = plan(groups_of({"rows": rows, **more}), ROOT, lambda words: _config(words[1]))
    return {job.id: job for job in jobs}


def test_the_order_is_seeds_then_data_then_ratios_then_rows() -> None:
    jobs = _plan(["ce", "bbn"], data=["cifar10", "digits"], ratios=[100, 10], seeds=[0, 1])
    assert list(jobs)[:5] == [
        "ce-cifar10-100/seed0",
        "bbn-cifar10-100/seed0",
        "ce-cifar10-10/seed0",
        "bbn-cifar10-10/seed0",
        "ce-digits-100/seed0",
    ]
    assert len(jobs) == 16
    assert jobs["bbn-digits-10/seed1"].words == (
        *("--config", "bbn", "--config", "data/digits", "--data.profile.imbalance_ratio=10"),
        *("--seed_everything=1", "--runs", "runs/s", "--name", "bbn-digits-10"),
        *("--version", "seed1"),
    )


def test_second_stages_take_over_the_first_of_a_row_that_trains_nothing_else() -> None:
    jobs = _plan(["crt", "ce", "lws"], ratios=[100, 10])
    assert list(jobs)[:3] == ["ce-100/seed0", "crt-100/seed0", "lws-100/seed0"]
    for row in ("crt", "lws"):
        for ratio in (100, 10):
            job = jobs[f"{row}-{ratio}/seed0"]
            assert job.needs == f"ce-{ratio}/seed0"
            checkpoint = f"runs/s/ce-{ratio}/seed0/checkpoints/last.ckpt"
            assert job.shared == (f"--model.stage1_ckpt={checkpoint}", "--trainer.max_epochs=10")
            assert job.epochs == 10


def test_without_such_a_row_the_first_of_two_stages_trains_it() -> None:
    jobs = _plan(["crt", "lws", "dis_align"])
    assert jobs["crt/seed0"].needs is None
    assert jobs["crt/seed0"].epochs == 40
    assert jobs["lws/seed0"].needs == "crt/seed0"
    assert jobs["lws/seed0"].shared[0].endswith("crt/seed0/checkpoints/stage1.ckpt")
    assert jobs["dis_align/seed0"].needs is None  # another loss


@pytest.mark.parametrize("other", ["ce_drw", "ssp_uniform"])
def test_what_trains_more_than_a_first_stage_is_none(other: str) -> None:
    assert _plan([other, "crt"])["crt/seed0"].needs is None


def test_a_pre_training_of_two_rows_is_done_once() -> None:
    jobs = _plan(["ssp_uniform", "ssp_balanced"])
    assert jobs["ssp_uniform/seed0"].shared == ()
    assert jobs["ssp_balanced/seed0"].needs == "ssp_uniform/seed0"
    assert jobs["ssp_balanced/seed0"].shared == (
        "--pretrain.config=null",
        "--pretrain.options=null",
        "--model.backbone_init=runs/s/ssp_uniform/seed0/pretrain",
    )


def test_runs_of_wandb_are_one_group() -> None:
    def parse(words: list[str]) -> dict[str, Any]:
        logger = {"class_path": "lt_lightning.wandb_.run.WandbRun", "init_args": {"group": group}}
        return {**_config("ce"), "trainer": {**_TRAINER, "logger": logger}}

    group: str | None = None
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse)
    assert "--trainer.logger.group=s" in job.words
    group = "mine"
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse)
    assert not any("group" in word for word in job.words)


def test_changes_without_training_follow_their_run() -> None:
    jobs = _plan([{"config": "ce", "post_hoc": ["LogitAdjuster", "NearestMean"]}, "bbn"])
    assert list(jobs) == [
        "ce/seed0",
        "ce/seed0+LogitAdjuster",
        "ce/seed0+NearestMean",
        "bbn/seed0",
    ]
    assert jobs["ce/seed0+NearestMean"].needs == "ce/seed0"


def test_a_run_of_two_groups_is_planned_once() -> None:
    groups = [{"rows": ["ce", "bbn"]}, {"rows": ["bbn", "crt"]}]
    jobs = plan(groups_of({"groups": groups}), ROOT, lambda words: _config(words[1]))
    assert [job.name for job in jobs] == ["ce", "bbn", "crt"]
    assert jobs[2].needs == "ce/seed0"


def test_a_group_that_only_adds_a_change_adds_its_tests() -> None:
    changed = {"config": "ce", "post_hoc": ["LogitAdjuster"]}
    groups = groups_of({"groups": [{"rows": ["ce"]}, {"rows": [changed]}]})
    jobs = plan(groups, ROOT, lambda words: _config(words[1]))
    assert [job.id for job in jobs] == ["ce/seed0", "ce/seed0+LogitAdjuster"]


def test_a_name_never_stands_for_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"groups": [{"rows": "ce"}, {"rows": "ce", "set": {"trainer.max_epochs": 9}}]}
    with pytest.raises(Refused) as refused:
        plan(groups_of(other), ROOT, lambda words: _config(words[1]))
    assert "Two runs are called ce/seed0" in refused.value.sentence
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").touch()
    with pytest.raises(Refused):
        _plan(["ce"], data=["a/x.yaml", "b/x.yaml"])


def test_a_run_is_not_called_as_a_part_of_the_sweep() -> None:
    for name in ("logs", "measured", "slurm", "sweep.json", "report.html"):
        with pytest.raises(Refused):
            _plan([{"config": "ce", "name": name}])


def test_each_row_is_looked_into_on_each_data_and_at_one_ratio() -> None:
    asked = []

    def parse(words: list[str]) -> dict[str, Any]:
        asked.append(words[3] + words[4])
        return _config(words[1])

    plan(groups_of({"rows": "ce", "data": ["digits", "cifar10"], "ratios": [20, 10]}), ROOT, parse)
    assert asked == [
        f"data/{name}--data.profile.imbalance_ratio=20" for name in ("digits", "cifar10")
    ]


def test_a_run_that_has_begun_stays_as_it_began() -> None:
    before = list(_plan(["crt"]).values())
    after = list(_plan(["crt", "ce"]).values())
    record = merged(Record("a", before), "b", after, {"crt/seed0"})
    assert {job.id: job.needs for job in record.jobs} == {"ce/seed0": None, "crt/seed0": None}
    record = merged(Record("a", before), "b", after, set())
    assert {job.id: job.needs for job in record.jobs}["crt/seed0"] == "ce/seed0"
    other = list(_plan(["crt"], set={"trainer.max_epochs": 9}).values())
    with pytest.raises(UserError, match="begun with other options"):
        merged(Record("a", before), "b", other, {"crt/seed0"})
