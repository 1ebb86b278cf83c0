"""A stand-in for what runs the steps of lt auto, with a clock of its own."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from minimal_results import minimal

from lt_lightning.auto import STEPS, Course, HeldOut, Record
from lt_lightning.runs.results import write_results

NAMES = [step.name for step in STEPS]
LABELS = [0] * 30 + [1] * 30
EPOCH, AROUND, CHANGE = 10, 5, 2  # seconds of one epoch, of what is around it, and of a change


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
