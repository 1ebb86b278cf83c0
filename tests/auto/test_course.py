"""The order of steps, with a stand-in for what runs them and a clock of its own."""

import re

import pytest
from courses import NAMES, Stub, go, stub

from lt_lightning.auto import told
from lt_lightning.errors import Refused, UserError

__all__ = ["stub"]  # a fixture


def status(content):
    return {name: step["status"] for name, step in content["steps"].items()}


def test_all_steps_then_the_choice_and_one_test(stub):
    stub.right = {"balanced_softmax": 25}
    found = go(stub)
    assert stub.ran == ["ce", *NAMES, "chosen"]  # the first epoch of the baseline by itself
    assert stub.tested == ["chosen"]
    assert set(status(found).values()) == {"done"}
    assert found["chosen"]["step"] == "balanced_softmax"
    assert (stub.folder / "report.html").read_text().split()[-1] == "chosen"
    said = "\n".join(stub.lines)
    assert re.search(r"^Balanced Softmax +83.3 \+-", said, re.MULTILINE)
    assert "Chosen: Balanced Softmax, the best by more than its uncertainty." in said
    assert f"lt predict {stub.folder}/chosen --images DIR" in said
    assert "macro 60.0 %" in said


def test_of_equals_the_simpler_is_taken_and_it_is_said(stub):
    found = go(stub)
    assert found["chosen"]["step"] == "ce"
    assert "Chosen: cross-entropy, the simplest of 10 that are not told apart." in stub.lines


def test_nothing_is_begun_that_cannot_end(stub):
    began = stub.now
    found = go(stub, minutes=9)
    left = [name for name, one in status(found).items() if one == "left out"]
    assert left
    assert NAMES[: len(NAMES) - len(left)] == [n for n in NAMES if n not in left]
    assert not set(left) & set(stub.ran)
    assert stub.now - began <= 9 * 60
    assert found["steps"][left[-1]]["why"].startswith("it takes about ")
    assert any(
        re.match(r"MiSLAS.* left out: it takes about .* are left for it", x) for x in stub.lines
    )


def test_what_takes_longer_than_was_measured_costs_later_steps(stub):
    quick = go(stub, minutes=22)
    assert "left out" not in status(quick).values()
    other = Stub(stub.folder.parent / "other", slower={"crt": 5})
    other.folder.mkdir()
    assert "left out" in status(go(other, minutes=22)).values()


@pytest.mark.parametrize("error", [UserError("no room."), Refused("no such key."), RuntimeError()])
def test_a_step_that_fails_is_listed_and_stops_nothing(stub, error):
    stub.fails = {"crt": error}
    found = go(stub)
    assert status(found).pop("crt") == "failed"
    assert set(status(found).values()) == {"done", "failed"}
    told = {"Refused": "no such key.", "UserError": "no room.", "RuntimeError": "RuntimeError"}
    assert found["steps"]["crt"]["why"] == told[type(error).__name__]
    assert stub.ran[-1] == "chosen"


def test_without_a_baseline_there_is_no_choice(stub):
    stub.fails = {"ce": UserError("No image.")}
    with pytest.raises(UserError, match="No image"):
        go(stub)
    assert not stub.folder.exists()  # there is nothing to keep, and its name is free


def test_what_the_user_has_put_there_is_kept(stub, monkeypatch):
    (stub.folder / ".lock").touch()

    def no_room():
        (stub.folder / "notes.txt").write_text("mine")
        raise UserError("no room.")

    monkeypatch.setattr(stub, "prepare", no_room)
    with pytest.raises(UserError, match="no room"):
        go(stub)
    assert (stub.folder / "notes.txt").read_text() == "mine"


def test_too_little_time_says_how_much_is_needed_and_that_is_enough(stub):
    with pytest.raises(UserError, match=r"too short: an epoch takes 10\.0 s") as refused:
        go(stub, minutes=0.8)
    asked = float(re.search(r"--minutes ([\d.]+), and", str(refused.value))[1])
    found = go(stub, minutes=asked)
    assert found["chosen"] is not None
    assert stub.ran[:3] == ["ce", "ce", *NAMES[1:2]]  # the first epoch was kept
    assert found["seconds"] <= asked * 60


def test_a_first_epoch_that_does_not_end_says_how_much_is_needed(stub):
    stub.cut = 0.25
    with pytest.raises(UserError, match=r"an epoch takes 10\.0 s") as refused:
        go(stub, minutes=0.2)
    asked = float(re.search(r"--minutes ([\d.]+), and", str(refused.value))[1])
    assert go(stub, minutes=asked)["chosen"] is not None


def test_times_are_written_as_the_trainer_takes_them():
    assert told.duration(0.3) == "00:00:00:01"
    assert told.duration(30 * 3600 + 61) == "01:06:01:01"
    assert told.duration(1e300) == "365:00:00:00"


def test_not_one_step(stub):
    stub.cut = 0
    with pytest.raises(UserError, match=r"Not one step was trained in 15 s: give more --minutes"):
        go(stub, minutes=0.2)
