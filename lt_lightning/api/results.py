"""results.json of a run, with types."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.runs.results import read_results


@dataclass(frozen=True)
class ClassResult:
    """One class in one evaluation.

    Attributes:
        name: of the class.
        group: many, medium, few, or what the run's rule calls it; none where it is in no group.
        training_images: as trained on.
        test_images: in this evaluation.
        correct: of the test images.
        accuracy: from 0 to 1, which is the recall; none without test images.
        predicted: test images that were taken for it; this and what follows is none in results of
            an earlier version.
        precision: correct over predicted; none where it was never predicted.
        f1: of precision and recall; none without test images.
    """

    name: str
    group: str | None
    training_images: int
    test_images: int
    correct: int
    accuracy: float | None
    predicted: int | None = None
    precision: float | None = None
    f1: float | None = None


@dataclass(frozen=True)
class GroupResult:
    """A group of classes in one evaluation.

    Attributes:
        acc: mean accuracy of its classes that have test images, from 0 to 1; none where it is not
            known.
        classes: how many these are.
        images: of them, in the test.
    """

    acc: float | None
    classes: int | None
    images: int | None


@dataclass(frozen=True)
class Evaluation:
    """One test of one set of weights; docs/results_json.md says what each number is.

    Attributes:
        label: `last`, `best`, `last+tau_norm_1` ...
        chosen_by: how the weights were chosen.
        images: how many were tested.
        overall: `acc`, `acc_macro`, `acc_worst`, `acc_top5`, `f1_macro`, `auc`, `nll`, `ece`,
            `mce`, `brier`, by name; those that it has.
        groups: those that have test images, by name.
        classes: C, in label order.
    """

    label: str
    chosen_by: str
    images: int
    overall: Mapping[str, float | None]
    groups: Mapping[str, GroupResult]
    classes: tuple[ClassResult, ...]

    @property
    def acc(self) -> float | None:
        """Share of the test images that are right, from 0 to 1; none without images."""
        return self.overall.get("acc")

    @property
    def acc_macro(self) -> float | None:
        """Mean accuracy of the classes, from 0 to 1; none without images."""
        return self.overall.get("acc_macro")


@dataclass(frozen=True)
class Results:
    """What a run reports.

    Attributes:
        method: class path of the method.
        seed: of the training; none where it is not known.
        class_counts: training images per class, C numbers in label order.
        fingerprint: of the chosen images, by their names and labels.
        evaluations: by their labels, in the order in which they were made.
        content: all of results.json.
    """

    method: str
    seed: int | None
    class_counts: tuple[int, ...]
    fingerprint: str
    evaluations: Mapping[str, Evaluation]
    content: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read the results of a run folder.

        Raises:
            UserError: if there are none, or they are damaged or of another version.
        """
        content = read_results(folder)
        data = content["data"]
        return cls(
            method=content["method"],
            seed=content["seeds"]["training"],
            class_counts=tuple(data["class_counts"]),
            fingerprint=data["fingerprint"],
            evaluations={
                label: _evaluation(label, found) for label, found in content["evaluations"].items()
            },
            content=content,
        )


def _evaluation(label: str, content: Mapping[str, Any]) -> Evaluation:
    groups, classes = content["groups"].items(), content["classes"]
    return Evaluation(
        label=label,
        chosen_by=str(content["checkpoint"].get("chosen_by", "not stated")),
        images=content["images"],
        overall=content["overall"],
        groups={name: GroupResult(**_part(row, GroupResult)) for name, row in groups},
        classes=tuple(ClassResult(**_part(row, ClassResult)) for row in classes),
    )


def _part(row: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return the values that a row has for the fields of its class; there may be more keys."""
    return {name: row.get(name) for name in kind.__dataclass_fields__}
