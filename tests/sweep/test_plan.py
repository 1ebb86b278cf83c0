"""The runs of a sweep: their order, and what is trained once."""

import re
from pathlib import Path
from typing import Any

import pytest

from lt_lightning.errors import Refused
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.local import command
from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.record import Record, read_record
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


def _jobs(content: dict[str, Any], **begun: tuple[str, ...]) -> list[Job]:
    """Return the plan where the runs of some rows have begun, with the words that they took."""
    groups = groups_of(content)
    return plan(groups, ROOT, lambda words: _config(words[1]), lambda job, _: begun.get(job.name))


def _plan(rows: list[Any], **more: Any) -> dict[str, Any]:
    return {job.id: job for job in _jobs({"rows": rows, **more})}


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


def test_what_lies_over_a_row_lies_over_its_data_too() -> None:
    """Trap: the data took away the augmentations of a recipe, which the name of the row told."""
    row = {"config": "ce", "over": "trainer/quick", "set": {"data.batch_size": 8}}
    (job,) = _jobs({"rows": [row], "data": "digits", "over": "recipe/strong", "ratios": 20})
    assert job.words[:8] == (
        *("--config", "ce", "--config", "data/digits", "--config", "recipe/strong"),
        *("--config", "trainer/quick"),
    )
    assert job.words[8:10] == ("--data.profile.imbalance_ratio=20", "--data.batch_size=8")


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
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse, lambda *_: None)
    assert "--trainer.logger.group=s" in job.words
    group = "mine"
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse, lambda *_: None)
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


@pytest.mark.parametrize(("on", "words"), [("test", ()), ("held_out", ("--test_on=held_out",))])
def test_a_change_is_tested_on_the_images_that_its_run_is_tested_on(
    on: str, words: tuple[str, ...]
) -> None:
    """Trap: the tests of a row on held-out images looked at the test split."""
    groups = groups_of({"rows": {"config": "ce", "post_hoc": "NearestMean"}})
    jobs = plan(groups, ROOT, lambda _: {**_config("ce"), "test_on": on}, lambda *_: None)
    assert command(jobs[1], ROOT) == [
        "test",
        "runs/s/ce/seed0",
        "--post_hoc",
        "NearestMean",
        *words,
    ]


def test_a_run_of_two_groups_is_planned_once() -> None:
    jobs = _jobs({"groups": [{"rows": ["ce", "bbn"]}, {"rows": ["bbn", "crt"]}]})
    assert [job.name for job in jobs] == ["ce", "bbn", "crt"]
    assert jobs[2].needs == "ce/seed0"


def test_a_group_that_only_adds_a_change_adds_its_tests() -> None:
    changed = {"config": "ce", "post_hoc": ["LogitAdjuster"]}
    jobs = _jobs({"groups": [{"rows": ["ce"]}, {"rows": [changed]}]})
    assert [job.id for job in jobs] == ["ce/seed0", "ce/seed0+LogitAdjuster"]


def test_a_name_never_stands_for_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"rows": "ce", "set": {"trainer.max_epochs": 9}}
    groups = groups_of({"groups": [{"rows": "ce"}, asked]})
    same = plan(groups, ROOT, lambda _: _config("ce"), lambda *_: None)
    assert [job.id for job in same] == ["ce/seed0"]  # it has 9 anyway, say

    def parse(words: list[str]) -> dict[str, Any]:
        return _config("ce_drw" if "--trainer.max_epochs=9" in words else "ce")

    with pytest.raises(Refused) as refused:
        plan(groups, ROOT, parse, lambda *_: None)
    assert "Two runs are called ce/seed0" in refused.value.sentence
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").touch()
    with pytest.raises(Refused):
        plan(
            groups_of({"rows": "ce", "data": ["a/x.yaml", "b/x.yaml"]}),
            ROOT,
            lambda words: _config("ce_drw" if "b/x.yaml" in words else "ce"),
            lambda *_: None,
        )


def test_a_run_is_not_called_as_a_part_of_the_sweep() -> None:
    for name in ("logs", "slurm", "sweep.json", "report.html"):
        with pytest.raises(Refused):
            _plan([{"config": "ce", "name": name}])


@pytest.mark.parametrize("letter", ["a", "ä"])
def test_the_names_of_all_files_of_a_run_can_be_written(tmp_path: Path, letter: str) -> None:
    """Trap: the folder had a place for a name, and the log, which is called longer, had not."""
    most = (253 - len("-20-seed0+NearestMean.log")) // len(letter.encode())
    fits, longer = letter * most, letter * (most + 1)

    def logs(name: str, changes: list[str]) -> list[Job]:
        return _jobs({"rows": [{"config": "ce", "name": name, "post_hoc": changes}], "ratios": 20})

    for job in logs(fits, ["NearestMean"]):
        job.log(tmp_path).parent.mkdir(exist_ok=True)
        job.log(tmp_path).touch()
    logs(longer, [])
    with pytest.raises(Refused) as refused:
        logs(longer, ["NearestMean"])
    assert "give its row a shorter `name`" in refused.value.sentence
    with pytest.raises(Refused):
        logs("a" * 241, [])


def test_each_row_is_looked_into_on_each_data_and_at_one_ratio() -> None:
    asked = []

    def parse(words: list[str]) -> dict[str, Any]:
        asked.append(words[3] + words[4])
        return _config(words[1])

    groups = groups_of({"rows": "ce", "data": ["digits", "cifar10"], "ratios": [20, 10]})
    plan(groups, ROOT, parse, lambda *_: None)
    assert asked == [
        f"data/{name}--data.profile.imbalance_ratio=20" for name in ("digits", "cifar10")
    ]


def _with_ratio(words: list[str]) -> dict[str, Any]:
    """Return the config of words whose last ratio, however it is written, is that of the data."""
    ratio: Any = 50.0
    for word in words:
        key, _, value = word.removeprefix("--").partition("=")
        if key.startswith("data") and "batch" not in key:
            found = re.search(r"[0-9]+$", value.rstrip("} "))
            ratio = float(found[0]) if found else None
    profile = {"class_path": "Exponential", "init_args": {"imbalance_ratio": ratio}}
    return {**_config(words[1]), "data": {**_DATA, "profile": profile if ratio else None}}


@pytest.mark.parametrize(
    "options",
    [
        {"data.profile.init_args.imbalance_ratio": 20},
        {"data.profile": "{class_path: Exponential, init_args: {imbalance_ratio: 50}}"},
        {"data.profile": "{class_path: Exponential, init_args: {imbalance_ratio: 7}}"},
        {"data.profile": None},
        {"data": "{profile: {init_args: {imbalance_ratio: 20}}}"},
    ],
)
@pytest.mark.parametrize("first", [[], [{"rows": "bbn", "ratios": 20}]])
def test_a_row_that_brings_a_ratio_gets_no_other_in_its_name(
    options: dict[str, Any], first: list[Any]
) -> None:
    row = {"config": "ce", "set": options}
    for group in ({"rows": [row]}, {"rows": ["ce"], "set": options}):
        groups = groups_of({"groups": [*first, {**group, "ratios": [50, 20]}]})
        with pytest.raises(Refused) as refused:
            plan(groups, ROOT, _with_ratio, lambda *_: None)
        assert "beside ratios" in refused.value.sentence


def test_other_options_of_the_data_stand_beside_ratios() -> None:
    content = {"rows": "ce", "ratios": [50, 20], "set": {"data.batch_size": 32}}
    jobs = plan(groups_of(content), ROOT, _with_ratio, lambda *_: None)
    assert [job.name for job in jobs] == ["ce-50", "ce-20"]


def test_a_file_that_goes_on_with_a_run_is_no_row() -> None:
    def parse(words: list[str]) -> dict[str, Any]:
        return {**_config(words[1]), "ckpt_path": "runs/other/0/checkpoints/last.ckpt"}

    with pytest.raises(Refused) as refused:
        plan(groups_of({"rows": "ce"}), ROOT, parse, lambda *_: None)
    assert "ce has ckpt_path runs/other" in refused.value.sentence


@pytest.mark.parametrize(
    ("trainer", "epochs"),
    [
        ({"max_epochs": -1, "max_steps": 20}, None),
        ({"max_epochs": -1}, None),
        ({"max_epochs": 10**9}, None),
        ({"max_epochs": 10**9 - 1}, 10**9 - 1),
        ({"max_epochs": None}, None),
    ],
)
def test_a_plan_of_any_length_is_kept_so_that_it_can_be_read(
    tmp_path: Path, trainer: dict[str, Any], epochs: int | None
) -> None:
    """Trap: Lightning's -1 for no end was written, and then sweep.json was damaged."""

    def parse(words: list[str]) -> dict[str, Any]:
        return {**_config(words[1]), "trainer": {**_TRAINER, **trainer}}

    jobs = plan(groups_of({"rows": "ce"}), tmp_path, parse, lambda *_: None)
    assert [job.epochs for job in jobs] == [epochs]
    Record(jobs).write(tmp_path)
    found = read_record(tmp_path)
    assert found is not None
    assert found.jobs == jobs


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_command_can_hold_is_refused(value: str) -> None:
    with pytest.raises(Refused) as refused:
        _plan(["ce"], set={"data.root": value})
    assert "is no text in UTF-8" in refused.value.sentence


def test_a_run_that_has_begun_stays_as_it_began() -> None:
    def needs(content: dict[str, Any], **begun: tuple[str, ...]) -> dict[str, str | None]:
        return {job.name: job.needs for job in _jobs(content, **begun)}

    both, alone, third = ({"rows": rows} for rows in (["crt", "ce"], ["crt"], ["crt", "lws"]))
    assert needs(both) == {"ce": None, "crt": "ce/seed0"}
    assert needs(both, crt=()) == {"ce": None, "crt": None}  # trained its own first stage
    taken = ("--model.stage1_ckpt=runs/s/ce/seed0/checkpoints/last.ckpt", "--trainer.max_epochs=10")
    assert needs(both, crt=taken) == {"ce": None, "crt": "ce/seed0"}
    (job,) = _jobs(alone, crt=taken)  # what it took its first stage from is asked for no more
    assert (job.needs, job.shared, job.epochs) == (None, taken, 10)
    assert needs(third, crt=taken) == {"crt": None, "lws": None}  # it has no first stage to give
    assert needs(third, crt=()) == {"crt": None, "lws": "crt/seed0"}


def test_one_epoch_of_a_row_is_one_of_each_stage_and_no_pre_training() -> None:
    jobs = _plan(["ce", "crt", "ssp_uniform"])
    both = ("--trainer.max_epochs=null", "--model.stage1_epochs=1", "--model.stage2_epochs=1")
    assert jobs["ce/seed0"].short == ("--trainer.max_epochs=1",)
    assert jobs["crt/seed0"].short == both
    without = ("--pretrain.config=null", "--pretrain.options=null")
    assert jobs["ssp_uniform/seed0"].short == ("--trainer.max_epochs=1", *without)


def test_what_an_epoch_costs_is_known_by_all_that_decides_it() -> None:
    def costs(**more: Any) -> str:
        return _jobs({"rows": ["ce"], **more})[0].of

    parsed = _config("ce")
    deeper = {**parsed, "data": {**_DATA, "batch_size": 9}}
    (job,) = plan(groups_of({"rows": ["ce"]}), ROOT, lambda _: deeper, lambda *_: None)
    assert costs() == costs(seeds=[0, 3])
    assert len({costs(), costs(ratios=10), job.of}) == 3


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
        found = _config(words[1])
        callbacks = [{"class_path": callback, "init_args": {"monitor": "val/loss"}}]
        return {**found, "trainer": {**found["trainer"], "callbacks": callbacks}}

    jobs = plan(groups_of({"rows": ["ce", "crt"]}), ROOT, parse, lambda *_: None)
    assert jobs[1].needs == ("ce/seed0" if shared else None)


def test_what_was_deleted_is_taken_over_by_nobody(tmp_path: Path) -> None:
    """Trap: the second stage was sent to a checkpoint that was not there, at every start."""
    groups = groups_of({"rows": ["ce", "crt", "lws"]})

    def needs() -> list[str | None]:
        jobs = plan(groups, tmp_path, lambda words: _config(words[1]), lambda *_: None)
        return [job.needs for job in jobs]

    (tmp_path / "ce" / "seed0").mkdir(parents=True)
    assert needs() == [None, "ce/seed0", "ce/seed0"]
    (tmp_path / "ce" / "seed0" / "results.json").touch()
    assert needs() == [None, None, "crt/seed0"]
