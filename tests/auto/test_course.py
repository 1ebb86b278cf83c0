"""The order of steps, with a stand-in for what runs them and a clock of its own."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from minimal_results import minimal

from lt_lightning.auto import STEPS, Course, HeldOut, Record, told
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs.results import write_results
from lt_lightning.runs.signals import Stopped

EPOCH, AROUND, CHANGE = 10, 5, 2
NAMES = [step.name for step in STEPS]
LABELS = [0] * 30 + [1] * 30


class Killed(BaseException):
    """Nothing of the process is done after it."""


@dataclass
class Stub:
    """Runs no training: it writes a run folder and moves the clock.

    Attributes:
        folder: of the course.
        right: by step, how many of the images of each class are right.
        fails: by step, what is raised in it.
        slower: by step, how much longer it takes than it should.
        cut: the part of the first epoch after which its time is over.
    """

    folder: Path
    right: dict = field(default_factory=dict)
    fails: dict = field(default_factory=dict)
    slower: dict = field(default_factory=dict)
    cut: float = 1
    now: float = 1e9
    ran: list = field(default_factory=list)
    tested: list = field(default_factory=list)
    lines: list = field(default_factory=list)

    def prepare(self):
        pass

    def lt(self, words):
        given = dict(re.findall(r"--([\w.]+)=(\S+)", " ".join(words)))
        name = given.get("name") or given["save_as"]
        self.ran.append(name)
        epochs = self._epochs(name, given)
        if words[0] == "fit":
            self.now += (epochs * EPOCH + AROUND) * self.slower.get(name, 1)
        else:
            self.now += CHANGE
        if name in self.fails:
            raise self.fails[name]
        if "test_on" not in given:
            self.tested.append(name)
        folder = self.folder / name / "0"
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        content = minimal()
        part = self.cut if given.get("trainer.max_time") else 1
        whole = epochs if part == 1 else 0
        content["training"].update(
            seconds=float(part * epochs * EPOCH), epochs=whole, steps=int(100 * part * epochs)
        )
        content["data"]["class_counts"] = [6400]
        (folder / "config.yaml").write_text("data: {batch_size: 64}")
        overall = {"acc": 0.7, "acc_macro": 0.6, "ece": 0.1}
        content["evaluations"]["last"].update(overall=overall, fitted={"temperature": 1.5})
        write_results(folder, content)
        for path in self.folder.rglob("*"):
            os.utime(path, (self.now, self.now))

    @staticmethod
    def _epochs(name, given):
        if given.get("trainer.max_epochs", "null") != "null":
            return int(given["trainer.max_epochs"])
        return sum(int(given.get(f"model.stage{k}_epochs", 0)) for k in (1, 2))

    def held_out(self, run):
        right = self.right.get(run.parent.name, 10)
        return HeldOut(LABELS, ("1" * right + "0" * (30 - right)) * 2, ["cat", "dog"])

    def report(self, runs, out):
        out.write_text(" ".join(run.parent.name for run in runs))

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def stub(tmp_path):
    folder = tmp_path / "runs" / "auto"
    folder.mkdir(parents=True)
    return Stub(folder)


def go(stub, minutes=1000.0, most=20, asked=("--data.root=D",), files=None):
    record = Record.open(stub.folder, list(asked), minutes, files or {})
    Course(stub.folder, record, list(asked), most, 0.5, stub, clock=lambda: stub.now).go()
    return known(stub)


def known(stub):
    return json.loads((stub.folder / "auto.json").read_text())


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
    (stub.folder / ".lock").touch()
    os.utime(stub.folder / ".lock", (stub.now, stub.now))
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
    go(stub)
    with pytest.raises(UserError, match=r"was begun by `lt auto --data\.root=D`"):
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
