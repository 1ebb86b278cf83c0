"""One evaluation of one run, ready to be put into a table."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lt_lightning.report.dataset import Data, data_of_each
from lt_lightning.report.measures import Measure
from lt_lightning.report.options import EARLIER
from lt_lightning.report.run import Run
from lt_lightning.report.setting import Setting, settings_of
from lt_lightning.runs.evaluations import (
    on_other_images,
    parts,
    tested_images,
    without_digest,
)

# The value at the end of the name of a change: tau_norm_1, logit_adjustment_tau_1.
_VALUE = re.compile(r"(_tau)?_-?\d+(\.\d+)?(e-?\d+)?$")


@dataclass(frozen=True)
class Entry:
    """One evaluation of one run.

    Attributes:
        run: the run.
        label: the evaluation: "last", "best", "stage1", "last+tau_norm_1" ...
        data: what it was trained on.
        setting: what was trained.
    """

    run: Run
    label: str
    data: Data
    setting: Setting

    @property
    def evaluation(self) -> dict[str, Any]:
        """Its part of results.json."""
        found: dict[str, Any] = self.run.content["evaluations"][self.label]
        return found

    @property
    def chosen_by(self) -> str:
        """How the weights were chosen."""
        return str(self.evaluation["checkpoint"].get("chosen_by", "not stated"))

    @property
    def weights(self) -> str:
        """Which weights were tested: last, best, stage1."""
        return parts(self.label)[0]

    @property
    def post_hoc(self) -> str:
        """The change after training, without its value, or nothing."""
        return _VALUE.sub("", parts(self.label)[1])

    @property
    def asked(self) -> dict[str, Any]:
        """The options of the change, as they were asked for; nothing where they are not known."""
        told = self.evaluation.get("post_hoc")
        return {key: value for key, value in told.items() if key != "class"} if told else {}

    @property
    def conditions(self) -> str:
        """What was other than in the run's own test: images, precision; or nothing."""
        return parts(self.label)[2]

    @property
    def told_conditions(self) -> str:
        """The conditions without the digest of a change with other options."""
        return parts(without_digest(self.label, self.evaluation))[2]

    @property
    def on_other_images(self) -> bool:
        """Whether it was tested on other images than those of its run."""
        return on_other_images(self.run.content, self.label)

    @property
    def oracle(self) -> bool:
        """Whether it uses what a method may not have."""
        return bool(self.run.content["flags"]["oracle"])

    @property
    def self_supervised(self) -> bool:
        """Whether the network was trained without labels."""
        return bool(self.run.content["flags"].get("self_supervised"))

    @property
    def chosen_on_test(self) -> bool:
        """Whether the test split chose the weights."""
        return " on TEST " in f" {self.chosen_by} "

    @property
    def part_of_test(self) -> bool:
        """Whether test images were left out."""
        return bool(self.evaluation.get("part_of_test"))

    @property
    def cut(self) -> bool:
        """Whether its training ended before its last epoch; stage 1 of such a run is whole."""
        training = self.run.content["training"]
        planned, epochs = training.get("planned_epochs"), training["epochs"]
        known = isinstance(planned, int) and isinstance(epochs, int)
        return known and epochs < planned and self.weights != "stage1"

    @property
    def test_seen(self) -> bool:
        """Whether somebody could look at the test split during training."""
        return bool(self.run.content["flags"]["test_seen_during_training"])

    @property
    def minutes(self) -> float | None:
        """Minutes of training."""
        seconds = self.run.content["training"]["seconds"]
        return None if seconds is None else seconds / 60

    @property
    def took_over(self) -> bool:
        """Whether it began with the weights of another run, whose minutes are not in its own."""
        given = dict(self.setting.values)  # of the config, or of the command where there is none
        return any(given.get(key, "null") not in ("", "null") for key in EARLIER)

    @property
    def parameters(self) -> int | None:
        """Numbers in the model."""
        found: int | None = self.run.content["training"]["parameters"]
        return found

    @property
    def multiply_adds(self) -> int | None:
        """Of one image; none of runs of an earlier version."""
        found: int | None = self.run.content["training"].get("multiply_adds")
        return found

    def metric(self, measure: Measure) -> float | None:
        """Return a number in percent, or none where it is missing or the group is empty."""
        return measure.of(self.evaluation)


def entries_of(runs: Sequence[Run]) -> list[Entry]:
    """Return all evaluations of all runs."""
    found = []
    for run, data, setting in zip(runs, data_of_each(runs), settings_of(runs), strict=True):
        found += [Entry(run, label, data, setting) for label in run.content["evaluations"]]
    return by_test_images(found)


def by_test_images(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries, the data of those that were tested on other images told apart.

    Most of the runs' own tests are on the same images; evaluations of earlier versions, which do
    not name theirs, are taken to be on these where they are as many.
    """
    found = []
    for entry in entries:
        own = [e for e in entries if e.data == entry.data and not e.on_other_images]
        tests = Counter(test for e in own if (test := tested_images(e.evaluation)))
        usual = tests.most_common(1)[0][0] if tests else None
        counts = Counter(e.evaluation["images"] for e in own if not e.part_of_test)
        among = {e.evaluation["images"] for e in own if tested_images(e.evaluation) == usual}
        common = among if usual else {counts.most_common(1)[0][0]} if counts else set()
        found.append(_told_apart(entry, usual, common))
    return found


def _told_apart(entry: Entry, usual: str | None, images: set[int]) -> Entry:
    test = tested_images(entry.evaluation)
    if entry.on_other_images:
        told = f"tested on {entry.conditions or str(test)[:8]}"
    elif test and usual and test != usual:
        told = f"test images {str(test)[:8]}"  # its own: another collection of the same name
    elif test is None and not entry.part_of_test and entry.evaluation["images"] not in images:
        told = f"tested on {entry.evaluation['images']} images"
    else:
        return entry
    name = f"{entry.data.name}, {told}"
    return replace(entry, data=replace(entry.data, name=name, published=None))
