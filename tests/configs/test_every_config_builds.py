"""Every method file builds as it is written, and its head says where its values are from."""

import inspect
import re
import sys
from functools import cache

import pytest
from config_files import (
    CONFIGS,
    METHOD_FILES,
    ONE_PER_METHOD,
    RUN_BY_DEFAULT,
    WITHOUT_LABELS,
    content,
    header,
)

from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.runs.class_path import named

BATCH = {"causal_tde": 256, "hybrid_psc": 512, "hybrid_sc": 512, "pseudo_label": 256}


# Beside one of each method: of the ways in which the other files differ from one another, one each.
BUILT = ONE_PER_METHOD | {"cam_drs", "rand_augment", "sampler_progressive"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, id=p.stem, marks=[] if p.stem in BUILT else pytest.mark.slow)
        for p in METHOD_FILES
        if p.stem not in RUN_BY_DEFAULT
    ],
)
def test_model_and_data_are_built_from_the_file_alone(path, build):
    cli = build("--config", path)
    assert cli.datamodule.class_counts.tolist() == cli.model.loss.class_counts.tolist()
    assert int(cli.datamodule.class_counts.sum()) == 12_406  # CIFAR-10-LT at ratio 100
    assert cli.options.trainer.max_epochs >= 200
    assert sorted(cli.datamodule.samplers or {}) == sorted(cli.model.streams)


def _classes(tree):
    """Yield all classes that a file names, with their options."""
    items = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    if isinstance(tree, dict) and "class_path" in tree:
        yield tree["class_path"], set(tree.get("init_args", {}))
    for item in items:
        yield from _classes(item)


@cache
def _known():
    """Return all classes of the package by their names, as a file gives them."""
    assert LongTailModule.__subclasses__()
    assert PostHoc.__subclasses__()
    modules = [m for name, m in sys.modules.items() if name.startswith("lt_lightning.")]
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__.startswith("lt_lightning.")
    }


def _options(kind):
    """Return the options of a class: those of its bases too, to which it may hand them on."""
    makers = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    return {name for maker in makers[:-1] for name in inspect.signature(maker).parameters}


FILES = sorted(CONFIGS.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(CONFIGS)) for p in FILES])
def test_every_class_of_a_file_is_there_and_takes_its_options(path):
    known = _known()
    for name, options in _classes(content(path)):
        kind = named(name) if "." in name else known[name]
        assert options <= _options(kind), name


def test_file_names_all_that_decides_a_run(method_file):
    found = content(method_file)
    assert set(found) <= {"seed_everything", "pretrain", "trainer", "model", "data", "post_hoc"}
    assert found["seed_everything"] == 0
    model, data = found["model"]["init_args"], found["data"]
    epochs = found.get("trainer", {}).get("max_epochs")
    stage1 = 320 if method_file.stem == "bag_of_tricks" else 200
    assert epochs == 200 or (model["stage1_epochs"] == stage1 and model["stage2_epochs"] > 0)
    assert set(model) >= {"backbone", "optimizer", "lr_schedule"}
    labels_are_used = found["model"]["class_path"] not in WITHOUT_LABELS
    assert ("head" in model, "loss" in model) == (labels_are_used, labels_are_used)
    assert set(data) >= {"source", "profile", "batch_size"}
    assert ("sampler" in data) != ("samplers" in data)
    assert data["profile"] == {
        "class_path": "Exponential",
        "init_args": {"imbalance_ratio": 100},
    }
    assert data["batch_size"] == BATCH.get(method_file.stem, 128)


def test_head_says_what_it_is_and_whence(method_file):
    lines = header(method_file)
    text = " ".join(lines)
    assert len(lines[0]) > 10
    assert re.search(r"Paper: .*((19|20)\d\d|code)", text)
    (published,) = [line for line in lines if line.startswith("Published")]
    value = published.split(":", 1)[1]
    assert re.search(r"\b\d\d\.\d", value) or re.search(r"\bnone\b", value)
    assert any(line.startswith("Measured here:") for line in lines)
