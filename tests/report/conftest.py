"""Made runs: results.json, config.yaml and metrics.csv of any size, with known numbers."""

import itertools
import json
from itertools import pairwise

import pytest

from lt_lightning.report.cell import Grid
from lt_lightning.report.run import Run

BINS = 15


def exponential(head, classes, ratio):
    """Slow and plain: the class sizes of CIFAR-LT."""
    sizes = []
    for place in range(classes):
        share = place / (classes - 1) if classes > 1 else 0
        sizes.append(int(head * (1 / ratio) ** share))
    return sizes


def group_of(count):
    return "many" if count > 100 else "few" if count < 20 else "medium"


def made_evaluation(counts, names, accuracies, *, per_class=100, chosen_by="last epoch"):
    """One evaluation with the given accuracy of each class; confidence is 10 points higher."""
    rows, groups = [], {}
    for place, (count, accuracy) in enumerate(zip(counts, accuracies, strict=True)):
        hits = round(accuracy * per_class)
        group = group_of(count)
        groups.setdefault(group, []).append(place)
        rows.append({"name": names[place], "group": group, "training_images": count,
                     "test_images": per_class, "correct": hits,
                     "accuracy": hits / per_class})  # fmt: skip
    images, hits = per_class * len(rows), sum(row["correct"] for row in rows)
    edges = [k / BINS for k in range(BINS + 1)]
    total, correct = [0] * BINS, [0] * BINS
    total[7], total[14] = images - images // 2, images // 2
    correct[14] = min(hits, total[14])
    correct[7] = hits - correct[14]
    confidence = [None] * BINS
    for k, (low, high) in enumerate(pairwise(edges)):
        confidence[k] = (low + high) / 2 if total[k] else None
    mean = {g: sum(rows[k]["accuracy"] for k in m) / len(m) for g, m in groups.items()}
    evaluation = {
        "checkpoint": {"path": None, "epoch": 9, "chosen_by": chosen_by},
        "images": images,
        "overall": {
            "acc": hits / images,
            "acc_macro": sum(row["accuracy"] for row in rows) / len(rows),
            "acc_worst": min(row["accuracy"] for row in rows),
            "nll": 1.5,
            "ece": 0.25,
            "mce": 0.5,
        },
        "groups": {
            g: {"acc": mean[g], "classes": len(m), "images": per_class * len(m)}
            for g, m in groups.items()
        },
        "classes": rows,
        "reliability": {
            "edges": edges,
            "total": total,
            "correct": correct,
            "accuracy": [c / t if t else None for c, t in zip(correct, total, strict=True)],
            "confidence": confidence,
        },
    }
    return evaluation, groups


def made_results(
    counts=(300, 120, 50, 6),
    accuracy=0.5,
    *,
    method="ce",
    seed=0,
    epochs=200,
    command=None,
    source="Digits",
    profile="Exponential",
    ratio=None,
    names=None,
    slope=0.2,
    flags=(),
    **options,
):
    """The content of a results.json; accuracy falls by `slope` from the head to the tail."""
    classes = len(counts)
    names = list(names or (f"class {k}" for k in range(classes)))
    last = max(classes - 1, 1)
    per_class = [min(max(accuracy + slope * (0.5 - k / last), 0), 1) for k in range(classes)]
    evaluation, groups = made_evaluation(counts, names, per_class, **options)
    return {
        "schema_version": 1,
        "method": "lt_lightning.methods.erm.ERM",
        "config": [f"{method}.yaml"],
        "command": command or ["lt", "fit", "--config", f"configs/{method}.yaml"],
        "seeds": {"training": seed, "subset": 0},
        "flags": {
            "test_seen_during_training": "test_seen" in flags,
            "oracle": "oracle" in flags,
            **({"self_supervised": True} if "self_supervised" in flags else {}),
        },
        "data": {
            "source": source,
            "profile": profile,
            "imbalance_ratio": ratio,
            "fingerprint": "f00d",
            "class_names": names,
            "class_counts": list(counts),
            "groups": groups,
            "group_rule": "ShotGroups(many_above=100, few_below=20)",
        },
        "training": {"seconds": 600.0 + 60 * seed, "epochs": epochs, "parameters": 464154,
                     "trainable_parameters": 464154},
        "metrics": {"bins": BINS, "definitions": {"acc": "hits / images"}},
        "versions": {"lt_lightning": "0.1.0"},
        "hardware": {"device": "a CPU", "processes": 1},
        "evaluations": {"last": evaluation},
    }  # fmt: skip


def write_run(folder, content, curves=None, config=None):
    """Write a run folder; curves are columns of metrics.csv by name, one value an epoch."""
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    if curves:
        names = list(curves)
        lines = [",".join(["epoch", "step", *names])]
        for epoch in range(len(curves[names[0]])):
            values = ["" if curves[n][epoch] is None else str(curves[n][epoch]) for n in names]
            lines.append(",".join([str(float(epoch)), str(97 * epoch + 96), *values]))
        (folder / "metrics.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if config is not None:
        (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")  # YAML as well
    return folder


@pytest.fixture
def results():
    return made_results


@pytest.fixture
def evaluation():
    return made_evaluation


@pytest.fixture
def sizes():
    return exponential


@pytest.fixture
def write(tmp_path):
    """Write a run below tmp_path/runs by its name and version."""

    def one(name, content, **files):
        return write_run(tmp_path / "runs" / name, content, **files)

    return one


@pytest.fixture
def cifar(results, sizes):
    """Results on CIFAR-10-LT or CIFAR-100-LT."""

    def one(classes=10, ratio=100, **options):
        head = 50_000 // classes
        counts = sizes(head, classes, ratio)
        per_class = 10_000 // classes
        return results(
            counts, source=f"CIFAR{classes}", ratio=float(ratio), per_class=per_class, **options
        )

    return one


@pytest.fixture
def grid_of(tmp_path):
    """The grid of runs in folders of their own, in this order."""
    numbers = itertools.count()

    def one(*contents):
        runs = tmp_path / "grid"
        folders = [write_run(runs / f"run{next(numbers)}" / "0", content) for content in contents]
        return Grid.of([Run.read(folder) for folder in folders])

    return one


@pytest.fixture
def cells_of(write):
    """Styled cells of runs, given as (content, files of write)."""

    def one(*runs):
        folders = [write(f"run{k}/0", content, **files) for k, (content, files) in enumerate(runs)]
        grid = Grid.of([Run.read(folder) for folder in folders])
        return list(enumerate(grid.cells.values()))

    return one
