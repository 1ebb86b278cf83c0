"""No command writes over the record of a run, nor over a file without being asked."""

import pytest
from lt_runs import in_process

from lt_lightning.auto.record import FILE_NAME as AUTO
from lt_lightning.errors import UserError
from lt_lightning.runs import lock
from lt_lightning.runs.outputs import check_file, take_file
from lt_lightning.sweep.job import RECORD as SWEEP

RECORDS = (
    "results.json",
    "config.yaml",
    "command.json",
    "metrics.csv",
    "confusion_last.png",
    "checkpoints/last.ckpt",
)


@pytest.fixture
def run(tmp_path):
    """Return the folder of a run, each record of which holds its own name."""
    folder = tmp_path / "runs" / "ce" / "0"
    for name in (*RECORDS, "predictions.csv"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


@pytest.mark.parametrize("name", RECORDS)
def test_the_record_of_a_run_is_never_written_over(run, name):
    with pytest.raises(UserError, match="is the record of a run: give another name"):
        check_file(run / name, force=True)


def test_the_curve_of_a_run_that_has_none_yet_is_kept_free(run):
    (run / "metrics.csv").unlink()
    with pytest.raises(UserError, match="is the record of a run"):
        check_file(run / "metrics.csv", force=False)


def test_other_files_in_the_folder_of_a_run_are_as_any(run):
    with pytest.raises(UserError, match=r"predictions.csv exists: add --force"):
        check_file(run / "predictions.csv", force=False)
    check_file(run / "predictions.csv", force=True)
    check_file(run / "board.json", force=False)


@pytest.mark.parametrize("name", [SWEEP, AUTO])
def test_the_record_of_many_runs_is_never_written_over(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(UserError, match="is the record of a run"):
        check_file(tmp_path / name, force=True)


def test_what_another_command_has_written_meanwhile_is_kept(tmp_path, monkeypatch):
    """Trap: whether it was there was asked before the lock was taken."""
    out = tmp_path / "predicted.csv"
    monkeypatch.setattr(lock, "take_output", lambda file: file.write_text("another's"))
    with pytest.raises(UserError, match="exists: add --force"):
        take_file(out, force=False)
    assert out.read_text() == "another's"


def test_a_file_of_the_same_name_elsewhere_is_as_any(tmp_path):
    (tmp_path / "config.yaml").touch()  # of the user's own, no run
    (tmp_path / "metrics.csv").touch()
    check_file(tmp_path / "metrics.csv", force=True)


@pytest.mark.parametrize(
    "words",
    [
        ["report", "runs", "--force", "--out", "runs/ce/0/metrics.csv"],
        ["dashboard", "--project", "lt", "--force", "--json", "runs/ce/0/results.json"],
        ["data", "check", "pictures", "--force", "--out", "runs/ce/0/confusion_last.png"],
    ],
)
def test_each_command_refuses_it(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures" / "a").mkdir(parents=True)
    answer = in_process(words)
    assert answer.status == 1
    assert f"{words[-2]} {words[-1]} is the record of a run: give another name." in answer.err
    assert (tmp_path / words[-1]).read_text() == (tmp_path / words[-1]).relative_to(run).name
