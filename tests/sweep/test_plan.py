"""The runs of a sweep: their order, and what is trained once."""

import re
from pathlib import Path
from typing import Any

import pytest
from planned_jobs import DATA, ROOT, TRAINER, config_of, jobs_of, planned

from lt_lightning.errors import Refused
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.local import command
from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.record import Record, read_record
from lt_lightning.sweep.spec import groups_of


def test_the_order_is_seeds_then_data_then_ratios_then_rows() -> None:
    jobs = planned(["ce", "bbn"], data=["cifar10", "digits"], ratios=[100, 10], seeds=[0, 1])
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
    (job,) = jobs_of({"rows": [row], "data": "digits", "over": "recipe/strong", "ratios": 20})
    assert job.words[:8] == (
        *("--config", "ce", "--config", "data/digits", "--config", "recipe/strong"),
        *("--config", "trainer/quick"),
    )
    assert job.words[8:10] == ("--data.profile.imbalance_ratio=20", "--data.batch_size=8")


def test_runs_of_wandb_are_one_group() -> None:
    def parse(words: list[str]) -> dict[str, Any]:
        logger = {"class_path": "lt_lightning.wandb_.run.WandbRun", "init_args": {"group": group}}
        return {**config_of("ce"), "trainer": {**TRAINER, "logger": logger}}

    group: str | None = None
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse, lambda *_: None)
    assert "--trainer.logger.group=s" in job.words
    group = "mine"
    (job,) = plan(groups_of({"rows": "ce"}), ROOT, parse, lambda *_: None)
    assert not any("group" in word for word in job.words)


def test_changes_without_training_follow_their_run() -> None:
    jobs = planned([{"config": "ce", "post_hoc": ["LogitAdjuster", "NearestMean"]}, "bbn"])
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
    jobs = plan(groups, ROOT, lambda _: {**config_of("ce"), "test_on": on}, lambda *_: None)
    assert command(jobs[1], ROOT) == [
        "test",
        "runs/s/ce/seed0",
        "--post_hoc",
        "NearestMean",
        *words,
    ]


def test_a_run_of_two_groups_is_planned_once() -> None:
    jobs = jobs_of({"groups": [{"rows": ["ce", "bbn"]}, {"rows": ["bbn", "crt"]}]})
    assert [job.name for job in jobs] == ["ce", "bbn", "crt"]
    assert jobs[2].needs == "ce/seed0"


def test_a_group_that_only_adds_a_change_adds_its_tests() -> None:
    changed = {"config": "ce", "post_hoc": ["LogitAdjuster"]}
    jobs = jobs_of({"groups": [{"rows": ["ce"]}, {"rows": [changed]}]})
    assert [job.id for job in jobs] == ["ce/seed0", "ce/seed0+LogitAdjuster"]


def test_a_name_never_stands_for_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"rows": "ce", "set": {"trainer.max_epochs": 9}}
    groups = groups_of({"groups": [{"rows": "ce"}, asked]})
    same = plan(groups, ROOT, lambda _: config_of("ce"), lambda *_: None)
    assert [job.id for job in same] == ["ce/seed0"]  # it has 9 anyway, say

    def parse(words: list[str]) -> dict[str, Any]:
        return config_of("ce_drw" if "--trainer.max_epochs=9" in words else "ce")

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
            lambda words: config_of("ce_drw" if "b/x.yaml" in words else "ce"),
            lambda *_: None,
        )


def test_a_run_is_not_called_as_a_part_of_the_sweep() -> None:
    for name in ("logs", "slurm", "sweep.json", "report.html"):
        with pytest.raises(Refused):
            planned([{"config": "ce", "name": name}])


@pytest.mark.parametrize("letter", ["a", "ä"])
def test_the_names_of_all_files_of_a_run_can_be_written(tmp_path: Path, letter: str) -> None:
    """Trap: the folder had a place for a name, and the log, which is called longer, had not."""
    most = (253 - len("-20-seed0+NearestMean.log")) // len(letter.encode())
    fits, longer = letter * most, letter * (most + 1)

    def logs(name: str, changes: list[str]) -> list[Job]:
        return jobs_of(
            {"rows": [{"config": "ce", "name": name, "post_hoc": changes}], "ratios": 20}
        )

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
        return config_of(words[1])

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
    return {**config_of(words[1]), "data": {**DATA, "profile": profile if ratio else None}}


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
        return {**config_of(words[1]), "ckpt_path": "runs/other/0/checkpoints/last.ckpt"}

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
        return {**config_of(words[1]), "trainer": {**TRAINER, **trainer}}

    jobs = plan(groups_of({"rows": "ce"}), tmp_path, parse, lambda *_: None)
    assert [job.epochs for job in jobs] == [epochs]
    Record(jobs).write(tmp_path)
    found = read_record(tmp_path)
    assert found is not None
    assert found.jobs == jobs


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_command_can_hold_is_refused(value: str) -> None:
    with pytest.raises(Refused) as refused:
        planned(["ce"], set={"data.root": value})
    assert "is no text in UTF-8" in refused.value.sentence


def test_a_run_that_has_begun_stays_as_it_began() -> None:
    def needs(content: dict[str, Any], **begun: tuple[str, ...]) -> dict[str, str | None]:
        return {job.name: job.needs for job in jobs_of(content, **begun)}

    both, alone, third = ({"rows": rows} for rows in (["crt", "ce"], ["crt"], ["crt", "lws"]))
    assert needs(both) == {"ce": None, "crt": "ce/seed0"}
    assert needs(both, crt=()) == {"ce": None, "crt": None}  # trained its own first stage
    taken = ("--model.stage1_ckpt=runs/s/ce/seed0/checkpoints/last.ckpt", "--trainer.max_epochs=10")
    assert needs(both, crt=taken) == {"ce": None, "crt": "ce/seed0"}
    (job,) = jobs_of(alone, crt=taken)  # what it took its first stage from is asked for no more
    assert (job.needs, job.shared, job.epochs) == (None, taken, 10)
    assert needs(third, crt=taken) == {"crt": None, "lws": None}  # it has no first stage to give
    assert needs(third, crt=()) == {"crt": None, "lws": "crt/seed0"}


def test_one_epoch_of_a_row_is_one_of_each_stage_and_no_pre_training() -> None:
    jobs = planned(["ce", "crt", "ssp_uniform"])
    both = ("--trainer.max_epochs=null", "--model.stage1_epochs=1", "--model.stage2_epochs=1")
    assert jobs["ce/seed0"].short == ("--trainer.max_epochs=1",)
    assert jobs["crt/seed0"].short == both
    without = ("--pretrain.config=null", "--pretrain.options=null")
    assert jobs["ssp_uniform/seed0"].short == ("--trainer.max_epochs=1", *without)


def test_what_an_epoch_costs_is_known_by_all_that_decides_it() -> None:
    def costs(**more: Any) -> str:
        return jobs_of({"rows": ["ce"], **more})[0].of

    parsed = config_of("ce")
    deeper = {**parsed, "data": {**DATA, "batch_size": 9}}
    (job,) = plan(groups_of({"rows": ["ce"]}), ROOT, lambda _: deeper, lambda *_: None)
    assert costs() == costs(seeds=[0, 3])
    assert len({costs(), costs(ratios=10), job.of}) == 3
