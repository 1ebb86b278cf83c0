"""What a run folder tells of its run: nothing in it stops a sweep."""

import os
from pathlib import Path

import pytest

from lt_lightning.sweep.job import Job, place
from lt_lightning.sweep.state import Kind, State, epochs_of, state_of


def _job(root: Path, name: str = "ce") -> Job:
    return Job(name, "seed0", ("--config", "ce", *place(root, name, "seed0")), epochs=3)


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [
        (",0,0.1\n,1,0.1\n0,1,0.1\n,2,0.05\n1,3,0.05", 2),  # a learning rate of each step
        (",0,0.1\n,1,0.1", 0),
        ("nan,0,0.1\nnan,1,0.1\ninf,2,0.1\n0,3,0.1", 1),
        ("", 0),
        ("0,0", 0),
        ("first,0,0.1", 0),
    ],
)
def test_rows_without_an_epoch_are_passed_over(tmp_path: Path, rows: str, epochs: int) -> None:
    (tmp_path / "metrics.csv").write_text(f"epoch,step,lr-SGD\n{rows}\n", encoding="utf-8")
    assert epochs_of(tmp_path) == epochs


def test_a_pipe_in_place_of_the_command_is_not_waited_for(tmp_path: Path) -> None:
    folder = _job(tmp_path).folder(tmp_path)
    folder.mkdir(parents=True)
    os.mkfifo(folder / "command.json")
    assert state_of(_job(tmp_path), tmp_path) == State(Kind.WAITING)


def test_a_folder_that_nobody_can_look_into_stops_no_sweep(tmp_path: Path) -> None:
    loop = _job(tmp_path).folder(tmp_path)
    loop.parent.mkdir()
    loop.symlink_to(loop)
    assert state_of(_job(tmp_path), tmp_path) == State(Kind.WAITING)
    assert state_of(_job(tmp_path, "a" * 300), tmp_path) == State(Kind.WAITING)
    test = Job("a" * 300, "seed0", (), needs="ce/seed0", post_hoc="TauNormalization")
    assert state_of(test, tmp_path) == State(Kind.WAITING)
