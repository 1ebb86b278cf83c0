"""docs/results_json.md documents what is read and what is written."""

import ast
import re
from pathlib import Path

from lt_lightning.runs import results as results_file
from lt_lightning.runs import results_check

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "results_json.md").read_text("utf-8")
# Read as text, for to import them is to import torch.
WRITERS = {
    "callbacks/run_record": ("_about_test", "_about_run", "_checkpoint", "on_test_end"),
    "callbacks/outcome": ("as_json", "rows"),
    "runs/about": ("about_run", "about_training", "sizes", "_about_images"),
    "runs/evaluations": ("as_json",),
}


def documented():
    return set(re.findall(r"^\| `([^`]+)` \|", DOC, flags=re.MULTILINE))


def test_every_key_that_must_be_there_is_documented():
    names = documented()
    wanted = {"schema_version"}
    for key in results_check.KEYS:
        inner = results_check.INNER_KEYS.get(key)
        wanted |= {f"{key}.{name}" for name in inner} if inner else {key}
    wanted -= {"metrics"}
    assert wanted <= names
    assert {"metrics.bins", "metrics.definitions"} <= names
    flat = {name.split(".")[0] for name in names}
    assert set(results_check.EVALUATION_KEYS) <= flat


def test_every_key_that_is_written_is_documented():
    written = set()
    for module, functions in WRITERS.items():
        text = (ROOT / "lt_lightning" / f"{module}.py").read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                written |= keys_of(node)
    assert {"weight_norms", "confusion", "source", "reliability", "chosen_by"} <= written
    for key in written:
        assert re.search(rf"[`.{{ ]{key}[`,}}.]", DOC), key


def keys_of(function):
    """The constant keys of dicts made or filled in a function."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(key, ast.Constant)}
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= {node.slice.value} if isinstance(node.slice, ast.Constant) else set()
    return found


def test_the_version_is_the_one_that_is_read():
    assert f"schema version {results_file.SCHEMA_VERSION}" in DOC.splitlines()[0]
