"""A course that was cut, killed or finished goes on, or says why not."""

import json
import os

import pytest
from courses import NAMES, Stub, go, known, stub

from lt_lightning.auto import Course, HeldOut, Record
from lt_lightning.errors import UserError
from lt_lightning.runs.signals import Stopped

__all__ = ["stub"]  # a fixture


class Killed(BaseException):
    """Nothing of the process is done after it."""


def test_a_killed_course_goes_on_where_it_was(stub):
    stub.fails = {"crt": Killed()}
    with pytest.raises(Killed):
        go(stub)
    before = known(stub)
    assert before["steps"]["crt"]["status"] == "begun"
    stub.fails, ran = {}, len(stub.ran)
    found = go(stub)
    assert stub.ran[ran:] == [*NAMES[NAMES.index("crt") :], "chosen"]
    assert found["chosen"] is not None


def test_time_counts_over_commands_and_not_between_them(stub):
    stub.fails = {"crt": Killed()}
    with pytest.raises(Killed):
        go(stub)
    content = known(stub)
    # SIGKILL leaves the clock running; the last sign of life is when a file was written last.
    content.update(since=1e9, seconds=0.0)
    (stub.folder / "auto.json").write_text(json.dumps(content))
    for path in stub.folder.rglob("*"):
        os.utime(path, (1e9 + 300, 1e9 + 300))
    stub.now += 10**6  # a week later
    # A lock was just taken, and a report or a test of a step was made on another day.
    for other in (".lock", "report.html", "ce/0/results.json"):
        (stub.folder / other).parent.mkdir(parents=True, exist_ok=True)
        (stub.folder / other).touch()
        os.utime(stub.folder / other, (stub.now, stub.now))
    stub.fails, began = {}, stub.now
    found = go(stub)
    assert found["seconds"] == pytest.approx(300 + stub.now - began)
    assert found["since"] is None


def test_the_look_at_the_pictures_counts_too(stub):
    record = Record.open(stub.folder, [], 1000.0, {})
    began = stub.now
    Course(stub.folder, record, [], 20, 0.5, stub, clock=lambda: stub.now).go(began - 40)
    assert known(stub)["seconds"] == pytest.approx(stub.now - began + 40)


def test_a_step_in_which_the_process_dies_is_not_begun_for_ever(stub):
    stub.fails = {"crt": Killed()}
    for _ in range(3):
        with pytest.raises(Killed):
            go(stub)
    found = go(stub)
    assert found["steps"]["crt"]["why"] == "the process ended in it 3 times"
    assert found["chosen"] is not None


@pytest.mark.parametrize("stop", [Stopped(2), KeyboardInterrupt()])
def test_who_stops_a_step_may_go_on_with_it_for_ever(stub, stop):
    stub.fails = {"crt": stop}
    for _ in range(4):
        with pytest.raises(type(stop)):
            go(stub)
        assert known(stub)["steps"]["crt"]["begun"] == 0
    stub.fails = {}
    assert go(stub)["steps"]["crt"]["status"] == "done"


def test_a_step_that_gets_on_between_deaths_is_begun_again(stub, monkeypatch):
    stub.fails = {"crt": Killed()}
    behind = []
    monkeypatch.setattr(Course, "_epochs_behind", lambda *_: len(behind))
    for _ in range(4):
        with pytest.raises(Killed):
            go(stub)
        behind.append("an epoch, saved")
    for _ in range(3):
        with pytest.raises(Killed):
            go(stub)
    assert go(stub)["steps"]["crt"]["why"] == "the process ended in it 3 times"


def test_a_finished_course_does_nothing_but_tell(stub):
    first = go(stub)
    ran, lines = list(stub.ran), len(stub.lines)
    again = go(stub)
    assert stub.ran == ran
    assert again["chosen"] == first["chosen"]
    assert any(line.startswith("Chosen: ") for line in stub.lines[lines:])


def test_a_killed_choice_is_tested_no_second_time(stub):
    go(stub)
    content = known(stub)
    content["chosen"] = None
    (stub.folder / "auto.json").write_text(json.dumps(content))
    assert go(stub)["chosen"]["run"] == "chosen/0"
    assert stub.tested == ["chosen"]


def test_another_command_on_the_folder_is_refused(stub):
    go(stub, asked=["--data.root=my pets"])
    with pytest.raises(UserError, match=r"was begun by `lt auto '--data\.root=my pets'`"):
        go(stub, asked=["--data.root=E"])


@pytest.mark.parametrize("damage", ["{", "[]", '{"schema_version": 3}', '{"schema_version": 2}'])
def test_a_damaged_record_is_refused(stub, damage):
    go(stub)
    (stub.folder / "auto.json").write_text(damage)
    with pytest.raises(UserError, match=r"is damaged .*: remove its folder"):
        go(stub)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the stand-in of a course that came to its end; its record is written anew."""
    folder = tmp_path_factory.mktemp("finished") / "auto"
    folder.mkdir()
    stub = Stub(folder)
    stub.content = go(stub)
    return stub


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("asked", value) for value in (None, "a", [1])],
        *[("files", value) for value in ([], {"a.yaml": 1})],
        *[("since", value) for value in ("x", True, -1)],
        *[("minutes", value) for value in (None, "30")],
        *[("epochs", value) for value in (None, 3.5, -1, 1e9, True)],
        *[("labels", value) for value in (None, [[1]], [0.5], [-1], [2] * 60, [], [0])],
        *[("class_names", value) for value in (None, [1], ["cat"])],
        *[("steps", value) for value in ([], {"ce": 1}, {})],
        *[("chosen", value) for value in ("ce", {"step": "ce"}, [])],
        ("other", 1),
        ("steps.magic", {}),
        *[("steps.crt.status", value) for value in ("won", None, [])],
        *[("steps.crt.begun", value) for value in ("1", 1.5)],
        *[("steps.crt.macro", value) for value in ("x", 2, None)],
        *[("steps.crt.sd", value) for value in ([], None)],
        *[("steps.crt.right", value) for value in ("", "11", 1)],
        *[("steps.crt.why", value) for value in (3, {})],
        *[("steps.crt.run", value) for value in (None, 3, "/elsewhere/run/0", "../a/0", "ce/0")],
        *[("steps.crt.run", value) for value in ("crt", "crt/", "crt/..", "crt/../ce/0")],
        *[("chosen.run", value) for value in ("ce/0", "chosen/..", None, "chosen/a/b")],
        *[("chosen.step", value) for value in (None, [], "magic")],
        *[("chosen.fitted", value) for value in (None, [], {"temperature": "x"})],
        *[("chosen.images", value) for value in (None, "9")],
        *[("chosen.acc_macro", value) for value in ("x", [1])],
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_record_that_no_course_wrote_is_refused(finished, key, value):
    content = json.loads(json.dumps(finished.content))
    *above, last = key.split(".")
    inner = content
    for name in above:
        inner = inner[name]
    inner[last] = value
    (finished.folder / "auto.json").write_text(json.dumps(content))
    ran = list(finished.ran)
    with pytest.raises(UserError, match=r"is damaged .*: remove its folder, or give another"):
        go(finished)
    assert finished.ran == ran


def test_a_config_file_that_was_changed_is_told(stub):
    go(stub, files={"own.yaml": "a"})
    go(stub, files={"own.yaml": "a"})
    with pytest.raises(UserError, match=r"^own\.yaml says something else than when .* was begun"):
        go(stub, files={"own.yaml": "b"})


def test_a_folder_of_something_else_is_refused(stub):
    (stub.folder / "thesis.txt").touch()
    with pytest.raises(UserError, match="holds something that `lt auto` did not make"):
        go(stub)
    assert (stub.folder / "thesis.txt").exists()


def test_a_temperature_that_cannot_be_fitted_does_not_stop_the_end(stub, monkeypatch):
    own = stub.lt

    def once(words):
        if "--post_hoc=TemperatureScaling" == words[-1]:
            raise UserError("no room.")
        own(words)

    monkeypatch.setattr(stub, "lt", once)
    assert go(stub)["chosen"] is not None
    assert "not calibrated: no room." in stub.lines


def test_classes_without_a_held_out_image_are_named(stub, monkeypatch):
    own = stub.held_out

    def three(run):
        found = own(run)
        return HeldOut(found.labels, found.right, [*found.class_names, "owl"])

    monkeypatch.setattr(stub, "held_out", three)
    go(stub)
    told = "1 of 3 classes have no held-out image (owl): the choice says nothing of them."
    assert told in stub.lines
