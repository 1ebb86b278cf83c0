"""`lt sweep` asked for again: the plan is made anew, and runs that have begun are themselves."""

import glob
import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lt_lightning.sweep.record import read_record
from tests.cli.conftest import Answer

_FIRST = "checkpoints/last.ckpt"


def _parsed(words: list[str]) -> dict[str, Any]:
    """Return the little of a full config that a plan looks at, as a stand-in for the parser."""
    length: Any = 200
    for word in words:
        if word.endswith(".yaml"):
            length = yaml.safe_load(Path(word).read_text(encoding="utf-8"))["trainer"]["max_epochs"]
        if word.startswith("--trainer.max_epochs="):
            length = int(word.partition("=")[2])
    trainer = {"max_epochs": length, "max_steps": -1, "max_time": None}
    model: dict[str, Any] = {"class_path": "lt_lightning.methods.ERM", "init_args": {}}
    if words[1] == "ce":
        model["init_args"] = {"head_start": "random"}  # no more than a first stage
    if words[1] == "crt":
        model["init_args"] = {"stage1_epochs": 200, "stage2_epochs": 5, "stage1_ckpt": None}
    return {"trainer": trainer, "model": model, "data": {}, "seed_everything": 0}


@pytest.fixture
def sweep(
    lt: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[str]]:
    """Return what prints the commands of a sweep, planned without a parser."""
    monkeypatch.setattr("lt_lightning.cli.commands.sweep._parse", _parsed)

    def commands(line: str) -> list[str]:
        answer = lt(f"sweep {line} --launcher print")
        return answer.out.splitlines() if answer.status == 0 else [answer.err]

    return commands


def _begin(command: str) -> None:
    """Leave what a run has that was interrupted after its first epochs."""
    words = shlex.split(command)
    place = {key: words[words.index(f"--{key}") + 1] for key in ("runs", "name", "version")}
    folder = Path(place["runs"], place["name"], place["version"])
    (folder / "checkpoints").mkdir(parents=True)
    (folder / _FIRST).touch()
    (folder / "command.json").write_text(json.dumps({"command": words}), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(_parsed(words[2:])), encoding="utf-8")


def test_a_run_of_other_options_is_refused_whatever_was_asked_between(
    sweep: Callable[[str], list[str]],
) -> None:
    line = "--configs ce --data digits --set trainer.max_epochs"
    (began,) = sweep(f"{line}=30")
    _begin(began)
    assert sweep(f"{line}=30") == [f"{began} --ckpt_path last"]
    assert len(sweep("--configs balanced_softmax --data digits")) == 1
    (refused,) = sweep(f"{line}=200")
    assert "The run ce-digits/seed0 has begun with other options" in refused
    assert refused.count("\n") == 1
    Path("runs/sweep/sweep.json").unlink()
    assert sweep(f"{line}=200") == [refused]
    assert sweep(f"{line}=30") == [f"{began} --ckpt_path last"]


def test_a_config_file_that_was_changed_is_planned_anew(
    sweep: Callable[[str], list[str]], lt: Callable[[str], Answer]
) -> None:
    def epochs(number: int) -> list[str]:
        Path("len.yaml").write_text(f"trainer: {{max_epochs: {number}}}\n", encoding="utf-8")
        return sweep("--configs ce --over len.yaml")

    (command,) = epochs(3)
    assert epochs(7) == [command]
    assert "ce/seed0  waiting  7 " in lt("sweep --status").out
    _begin(command)
    assert "trainer.max_epochs was 7 and is 9 now" in epochs(9)[0]


def test_what_was_written_into_sweep_json_is_not_run(sweep: Callable[[str], list[str]]) -> None:
    asked = sweep("--configs ce --data digits")
    file = Path("runs/sweep/sweep.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    content["jobs"][0]["words"].insert(0, "--trainer.max_epochs=1")
    file.write_text(json.dumps(content), encoding="utf-8")
    assert sweep("--configs ce --data digits") == asked


def test_a_second_stage_goes_on_when_what_it_took_over_is_asked_for_no_more(
    sweep: Callable[[str], list[str]],
) -> None:
    ce, crt = sweep("--configs ce crt")
    assert crt.endswith(f"--model.stage1_ckpt=runs/sweep/ce/seed0/{_FIRST} --trainer.max_epochs=5")
    _begin(crt)
    for line in ("--configs crt", "--configs crt", "--configs bbn crt"):
        assert sweep(line)[-1] == f"{crt} --ckpt_path last"
    assert sweep("--configs ce crt") == [ce, f"{crt} --ckpt_path last"]


def test_a_page_that_is_not_written_is_told(
    lt: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch, finished: Path
) -> None:
    monkeypatch.setattr("lt_lightning.cli.commands.sweep._parse", _parsed)
    (command,) = lt("sweep --configs ce --launcher print").out.splitlines()
    folder = Path("runs/sweep/ce/seed0")
    shutil.copytree(finished, folder)
    words = shlex.split(command)
    (folder / "command.json").write_text(json.dumps({"command": words}), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(_parsed(words[2:])), encoding="utf-8")
    Path("runs/sweep/logs").mkdir()
    Path("runs/sweep/logs/seed-0.log").touch()
    page = Path("runs/sweep/report.html")
    page.write_text("mine", encoding="utf-8")
    answer = lt("sweep --configs ce")
    assert (answer.status, page.read_text(encoding="utf-8")) == (1, "mine")
    assert "report.html exists and is no page of lt report: mend that" in answer.err
    page.unlink()
    answer = lt("sweep --configs ce")
    assert (answer.status, answer.err) == (0, "")
    assert f"{page}: 1 run" in answer.out
    runs = " ".join(glob.glob("runs/sweep/*/seed*/"))  # as the manual says it
    assert lt(f"report {runs}").status == 0


@pytest.mark.parametrize("look", ["--launcher print", "--status"])
def test_to_look_at_a_sweep_keeps_what_failed(sweep, lt, look):
    """Trap: the commands were printed, nothing was run, and the last lines were forgotten."""
    sweep("--configs ce bbn --data digits --seeds 0")
    root = Path("runs/sweep")
    record = read_record(root)
    (job, *_) = record.jobs
    record.failed[job.id] = "lt: the last line."
    record.write(root)
    asked = "--status" if look == "--status" else f"--configs ce bbn --data digits --seeds 0 {look}"
    answer = lt(f"sweep {asked}")
    assert answer.status == 0
    assert Path(job.id).parent.name in answer.out  # also among what is left to be run
    assert read_record(root).failed == {job.id: "lt: the last line."}


def test_to_look_at_a_plan_leaves_the_record_of_another(sweep, lt):
    """Trap: the commands of other rows were printed, and --status showed those rows alone."""
    for row in ("ce", "bbn"):
        Path(f"{row}.yaml").write_text(f"rows: {row}", encoding="utf-8")
    record = Path("runs/t/sweep.json")
    sweep("ce.yaml --name t")
    before = record.read_bytes()
    assert "--config bbn" in sweep("bbn.yaml --name t")[0]
    assert record.read_bytes() == before
    for asked, shown in (("", "ce"), ("ce.yaml", "ce"), ("bbn.yaml", "bbn")):
        answer = lt(f"sweep {asked} --name t --status")
        assert (answer.status, answer.out.splitlines()[1].split()[0]) == (0, f"{shown}/seed0")
    assert record.read_bytes() == before
    answer = lt("sweep gone.yaml --name t --status")
    assert (answer.status, answer.out) == (2, "")
    assert "There is no sweep gone.yaml" in answer.err
