"""MODEL_CARD.md: what the model was trained on, what it scores, and what it is not good for."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from lt_lightning.errors import counted
from lt_lightning.runs.past import Past
from lt_lightning.runs.results import epochs_told


def card(
    results: Mapping[str, Any] | None, label: str | None, about: Mapping[str, Any], past: Past
) -> str:
    """Return the text.

    Args:
        results: the content of results.json, none where the run was not tested.
        label: the evaluation of what is exported, none where there is none.
        about: the content of about.json.
        past: what the weights have behind them, whether or not they were tested.
    """
    names, counts = about["class_names"], about["class_counts"]
    changes = ", ".join(about["changes"]) or "none"
    lines = [
        f"# Model card: {about['method']}",
        "",
        f"- Made by `lt export` of lt_lightning {about['version']}.",
        f"- {len(names)} classes; {sum(counts)} training images, {min(counts)} to {max(counts)} "
        "of a class.",
        f"- Changes after training: {changes}.",
        *_made({} if results is None else results),
        *(
            f"- Group {name}: {counted(len(members), 'class', 'classes')}."
            for name, members in about["groups"].items()
        ),
        "",
        "## Numbers",
        "",
        *_stamps({} if results is None else results["flags"], past),
    ]
    evaluation = None if results is None or label is None else results["evaluations"][label]
    if evaluation is None:
        lines.append("No test of these outputs is on record.")
        rows = [{"name": n, "training_images": c} for n, c in zip(names, counts, strict=True)]
    else:
        overall = evaluation["overall"]
        lines.append(
            f"{evaluation['images']} test images, weights: "
            f"{evaluation['checkpoint'].get('chosen_by', 'not stated')}; "
            f"accuracy {_percent(overall.get('acc'))}, mean over classes "
            f"{_percent(overall.get('acc_macro'))}, ECE {_percent(overall.get('ece'))}."
        )
        groups = evaluation["groups"].items()
        lines += ["", *(f"- {name}: {_percent(group['acc'])}" for name, group in groups)]
        rows = evaluation["classes"]
    lines += ["", "| class | training images | test images | accuracy |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(row['name'])} | {row['training_images']} | {row.get('test_images', '-')} | "
        f"{_percent(row.get('accuracy'))} |"
        for row in rows
    ]
    return "\n".join([*lines, "", _LIMITS])


def _made(results: Mapping[str, Any]) -> list[str]:
    """Return what the run was made of, as far as results.json says; no path, for it leaves home."""
    training, data = results.get("training", {}), results.get("data", {})
    told = {
        "Configs": ", ".join(PurePath(str(name)).stem for name in results.get("config", ())),
        "Epochs": epochs_told(training),
        "Seed": results.get("seeds", {}).get("training"),
        "Parameters": training.get("parameters"),
        "Multiply-adds of an image": training.get("multiply_adds"),
        "Data": ", ".join(str(data[key]) for key in ("source", "profile") if data.get(key)),
        "Fingerprint of the training images": data.get("fingerprint"),
        "Precision": results.get("hardware", {}).get("precision"),
    }
    return [
        f"- {name}: {f'{value:,}' if isinstance(value, int) else value}."
        for name, value in told.items()
        if value not in (None, "")
    ]


def _stamps(flags: Mapping[str, Any], past: Past) -> list[str]:
    """Return what stands over the numbers of a run that is not like others."""
    behind = {"test_seen_during_training": past.test_seen, "oracle": past.oracle}
    known = {**flags, **{name: True for name, value in behind.items() if value}}
    told = [name.replace("_", " ") for name, value in known.items() if value is True]
    return [f"**Stamped: {', '.join(told)}.**", ""] if told else []


_LIMITS = """## Limits

- It knows these classes only, and gives every picture one of them.
- The numbers are of test images like those of the training; of others they say nothing.
- Few test images of a class make its accuracy uncertain; few training images make it low.
- Probabilities are as true as the ECE says, and for the class sizes of the test.
"""


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _cell(name: str) -> str:
    return name.replace("\\", "\\\\").replace("|", "\\|")
