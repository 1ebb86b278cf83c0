"""What a results.json says of a run beside its evaluations; see docs/results_json.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import argv, environment
from lt_lightning.runs.past import Past
from lt_lightning.runs.reported import ReportedData, ReportedModule
from lt_lightning.runs.results import FILE_NAME, SCHEMA_VERSION, read_results

_DEFINITIONS = {
    "acc": "hits / images",
    "acc_macro": "mean of the accuracies of the classes that have test images; also called "
    "balanced accuracy and macro recall, for the accuracy of a class is its recall",
    "acc_top5": "share of the images whose class is among the five most probable ones",
    "precision": "of a class: hits / images that were taken for it; none where there is no such",
    "f1": "of a class: 2 hits / (its images + images that were taken for it)",
    "f1_macro": "mean of the F1 of the classes that have test images",
    "auc": "share of the pairs (image of the class, image of another) in which the first has the "
    "higher probability of the class; mean over the classes that have such pairs",
    "acc_worst": "lowest accuracy of the classes that have test images",
    "groups": "mean of the accuracies of the classes of the group that have test images",
    "nll": "mean of -log p(target), in nats",
    "ece": "sum over bins of share of images * |accuracy - mean confidence|; bins of equal width "
    "over (0, 1], right edges belong to the bin",
    "mce": "largest |accuracy - mean confidence| of a bin that has images",
    "brier": "mean of the squared distance of the probabilities from the target, 0 to 2",
}


# Of a training, beside what the images and the weights tell of themselves.
_OF_TRAINING = ("config", "command", "seeds", "training", "versions", "hardware")
_OF_DATA = ("source", "profile", "imbalance_ratio", "added_images", "unlabelled")

# Commands whose options lie over those of the run, and which of them change what.
_OF_RUN = ("test", "validate", "calibrate")
_IMAGES = ("profile", "subset_seed", "holdout", "source", "root", "added_images")
_CAUSES = {
    "method": ("model",),
    "fingerprint": tuple(f"data.{name}" for name in _IMAGES),
    "class_counts": tuple(f"data.{name}" for name in _IMAGES),
    "groups": ("data.group_rule",),
}


@dataclass(frozen=True)
class Training:
    """How far a training went; none is what is not known.

    Attributes:
        seconds: wall time, over all parts of a run that went on.
        epochs: finished ones.
        planned_epochs: what it was begun for.
        steps: of the optimizer.
        hardware: what it ran on.
        ended: whether it is known to have ended by itself, if only by a limit or an early stop.
    """

    seconds: float | None
    epochs: int | None
    planned_epochs: int | None
    steps: int | None
    hardware: Mapping[str, Any]
    ended: bool = False


def about_run(
    module: ReportedModule, data: ReportedData, training: Training, past: Past, command: list[str]
) -> dict[str, Any]:
    """Return everything but the evaluations.

    Args:
        module: the method.
        data: the data module.
        training: how far it went.
        past: what its weights have behind them.
        command: the command line.
    """
    about = about_training(data, training, command)
    return {
        "schema_version": SCHEMA_VERSION,
        "method": class_path(module),
        **about,
        "flags": {
            "test_seen_during_training": bool(past.test_seen),
            "oracle": bool(module.oracle or past.oracle),
            "self_supervised": bool(module.self_supervised),
        },
        "data": {**about["data"], **_about_images(data)},
        "training": {
            **about["training"],
            "epochs": training.epochs,
            "steps": training.steps,
            **sizes(module),
        },
        "metrics": {"bins": module.test_stats.bins, "definitions": _DEFINITIONS},
    }


def about_training(data: ReportedData, training: Training, command: list[str]) -> dict[str, Any]:
    """Return what a later test cannot know by itself, so that each checkpoint keeps it.

    Args:
        data: the data module.
        training: how far it went.
        command: the command line.
    """
    return {
        "config": environment.config_names(command),
        "command": command,
        "seeds": {"training": environment.training_seed(), "subset": data.subset_seed},
        "data": {
            "source": _kind(data.source),
            "profile": _kind(data.profile),
            "imbalance_ratio": data.imbalance_ratio,
            "added_images": _text(data.added_images),
            "unlabelled": data.unlabelled_facts,
        },
        "training": {
            "seconds": training.seconds,
            "planned_epochs": training.planned_epochs,
            **({"ended": True} if training.ended else {}),
        },
        "versions": environment.versions(),
        "hardware": dict(training.hardware),
    }


def sizes(module: ReportedModule) -> dict[str, int]:
    """Return how many numbers a model has, and how many of them are trained."""
    found = [(p.numel(), p.requires_grad) for p in module.parameters()]
    trained = sum(size for size, trained in found if trained)
    return {"parameters": sum(size for size, _ in found), "trainable_parameters": trained}


def training_in(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a results.json says of a training that a later test cannot know by itself."""
    found = {key: content[key] for key in _OF_TRAINING}
    told = {key: content["data"][key] for key in _OF_DATA if key in content["data"]}
    return {**found, "data": told}


def with_training(content: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a run, with what its checkpoint tells of the training.

    Args:
        content: from `about_run`, of a test.
        told: from `about_training`, or a part of it.
    """
    inner = {key: {**content[key], **told.get(key, {})} for key in ("data", "training")}
    return {**content, **told, **inner}


def _about_images(data: ReportedData) -> dict[str, Any]:
    return {
        "achieved_ratio": _ratio(data.class_counts.tolist()),
        "fingerprint": data.fingerprint,
        "class_names": [str(name) for name in data.class_names],
        "class_counts": data.class_counts.tolist(),
        "groups": _groups(data),
        "group_rule": repr(data.group_rule),
    }


def _ratio(counts: list[int]) -> float | None:
    """Return largest over smallest, none where a class is empty."""
    return max(counts) / min(counts) if min(counts) else None


def results_so_far(
    folder: Path, module: ReportedModule, data: ReportedData, command: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Return the results that are in the folder of a run, or none.

    Args:
        folder: of the run.
        module: the method.
        data: the data module.
        command: the command line.

    Raises:
        UserError: if they are damaged or of another run.
    """
    file = folder / FILE_NAME
    if not file.exists():
        return None
    content = read_results(file)
    for what, have, want in (
        ("method", content["method"], class_path(module)),
        ("fingerprint", content["data"]["fingerprint"], data.fingerprint),
        ("class_counts", content["data"]["class_counts"], data.class_counts.tolist()),
        ("groups", content["data"]["groups"], _groups(data)),
    ):
        if have != want:
            raise UserError(_of_another_run(file, what, have, want, command))
    return content


def _of_another_run(file: Path, what: str, have: Any, want: Any, command: Sequence[str]) -> str:
    told = f"its {what} is {str(have)[:60]}, not {str(want)[:60]}"
    words = command[1:]
    over_config = words[:1] and words[0] in _OF_RUN
    items = argv.items(words) if over_config else []
    causes = _CAUSES.get(what, ())
    given = [item.flag for item in items if any(item.is_below(key) for key in causes)]
    by_options = given or any(item.is_file for item in items)
    if over_config and not by_options and what in ("fingerprint", "class_counts"):
        return (
            f"The training pictures are no longer those that {file.parent} was trained on "
            f"({told}): put those back, or train anew."
        )
    if not given:
        remedy = "leave out what changes it, or give another run folder"
        return f"{file} is of another run ({told}): {remedy}."
    several = " and ".join(dict.fromkeys(given))
    it = "it" if len(set(given)) == 1 else "them"
    return f"{file} is of the run without {several} ({told}): leave {it} out."


def class_path(module: ReportedModule) -> str:
    """Return the class path of a method."""
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _groups(data: ReportedData) -> dict[str, list[int]]:
    return {name: list(members) for name, members in data.groups.items()}


def _kind(part: object | None) -> str | None:
    """Return the class name of a part of the data module, or none where it has no such part."""
    return None if part is None else type(part).__name__


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
