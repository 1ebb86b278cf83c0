"""Private names of other libraries: each is known here, is there, and its library is bounded."""

import argparse
import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lt_lightning"
BASE = "lightning.pytorch.core.module.LightningModule"
CLI = "lightning.pytorch.cli.LightningCLI"
WANDB = "lightning.pytorch.loggers.wandb.WandbLogger"
# name: distribution, what has it, and the files that use it; none where it is of an instance.
KNOWN = {
    "_actions": (
        "jsonargparse",
        "jsonargparse.ArgumentParser",
        {"cli/words/messages.py", "cli/words/parser.py"},
    ),
    "_get_help_string": (
        "jsonargparse",
        "jsonargparse.DefaultHelpFormatter",
        {"cli/words/parser.py"},
    ),
    "_typehint": ("jsonargparse", None, {"cli/words/type_words.py", "cli/words/parser.py"}),
    "_get": ("lightning", CLI, {"cli/app.py"}),
    "_parser": ("lightning", CLI, {"cli/app.py"}),
    "_set_seed": ("lightning", CLI, {"cli/app.py"}),
    "_init_progress": (
        "lightning",
        "lightning.pytorch.callbacks.RichProgressBar",
        {"callbacks/progress.py"},
    ),
    "_logger_connector": ("lightning", None, {"callbacks/checkpoints.py"}),
    "_signal_connector": ("lightning", None, {"callbacks/stop.py"}),
    "_save_distributed_checkpoint": ("lightning", None, {"engine/sharded.py"}),
    "_batches_that_stepped": ("lightning", None, {"callbacks/checkpoints.py"}),
    "_SubprocessScriptLauncher": (
        "lightning",
        "lightning.pytorch.strategies.launchers",
        {"runs/meeting.py"},
    ),
    "_wandb_init": ("lightning", None, {"wandb_/run.py"}),
    "_experiment": ("lightning", None, {"wandb_/run.py"}),
    "_trainer": ("lightning", None, {"engine/own_loop.py"}),
    "_apply": ("torch", "torch.nn.Module", {"losses/base.py", "engine/moving_feature.py"}),
    "_BatchNorm": ("torch", "torch.nn.modules.batchnorm", {"engine/freezing.py"}),
    "_standard_gamma": ("torch", "torch", {"augment/mixing.py"}),
    "_is_avx512_bf16_supported": ("torch", "torch.cpu", {"cli/resuming.py"}),
    "_is_mkldnn_bf16_supported": ("torch", None, {"cli/resuming.py"}),
    "_to_sync": ("torchmetrics", None, {"metrics/class_stats.py"}),
    "_is_synced": ("torchmetrics", None, {"metrics/class_stats.py"}),
    "_to_model": ("wandb-workspaces", None, {"wandb_/workspace.py"}),
}


def _trees():
    return {
        file.relative_to(PACKAGE).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(PACKAGE.rglob("*.py"))
    }


def _own(trees):
    """Return the private names that the package defines itself."""
    found = set()
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for part in (part for target in targets for part in ast.walk(target)):
                found.add(getattr(part, "id", getattr(part, "attr", "")))
    return found


def _is_private(name):
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def _used(tree, own):
    """Yield the private names that a file takes from elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            above = isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()"
            if ast.unparse(node) == "os._exit":  # documented, in spite of its name
                continue
            if above or node.attr not in own or (node.attr in KNOWN and _is_foreign(node)):
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("lt_"):
            yield from (alias.name for alias in node.names if _is_private(alias.name))
            yield from filter(_is_private, (node.module or "").split("."))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            name = node.args[1]
            if isinstance(name, ast.Constant) and _is_private(name.value) and name.value not in own:
                yield name.value


def _is_foreign(node):
    """Return whether a name that the package has too is taken from an object of a library."""
    return ast.unparse(node.value) == "parser"


def test_every_private_name_of_a_library_is_known():
    trees = _trees()
    own = _own(trees)
    found = {}
    for file, tree in trees.items():
        for name in _used(tree, own):
            found.setdefault(name, set()).add(file)
    unknown = set(found) - set(KNOWN)
    assert not unknown, f"private names that no table knows: {unknown}"
    for name, files in found.items():
        assert files <= KNOWN[name][2], f"{name} is used in {files}"


@pytest.mark.parametrize("name", [name for name, (_, owner, _) in KNOWN.items() if owner])
def test_the_library_still_has_it(name):
    owner = KNOWN[name][1]
    module, _, last = owner.rpartition(".")
    try:
        holder = importlib.import_module(owner)
    except ModuleNotFoundError:
        holder = getattr(importlib.import_module(module), last)
    made = argparse.ArgumentParser() if name == "_actions" else holder
    assert hasattr(made, name)


def test_instances_still_have_them():
    import lightning as L
    import torch
    from jsonargparse import ArgumentParser
    from lightning.pytorch.loggers import WandbLogger
    from lightning.pytorch.strategies import ModelParallelStrategy
    from torchmetrics import MeanMetric

    parser = ArgumentParser()
    parser.add_argument("--x", type=int)
    assert any(getattr(action, "_typehint", None) is int for action in parser._actions)
    trainer = L.Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
    assert isinstance(type(trainer._logger_connector).metrics, property)
    assert trainer.fit_loop.epoch_loop._batches_that_stepped == 0
    assert L.LightningModule()._trainer is None
    assert ModelParallelStrategy()._save_distributed_checkpoint is True
    metric = MeanMetric()
    assert metric._to_sync is True
    assert metric._is_synced is False
    assert isinstance(torch.ops.mkldnn._is_mkldnn_bf16_supported(), bool)
    source = Path(importlib.import_module(WandbLogger.__module__).__file__).read_text()
    assert "self._wandb_init" in source
    assert "self._experiment" in source


@pytest.mark.parametrize("library", sorted({library for library, _, _ in KNOWN.values()}))
def test_the_library_has_an_upper_bound(library):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = re.findall(rf'^\s*(?:dashboard = \[)?"{library}(?:\[\w+\])?>=([^"]+)"', text, re.M)
    assert lines
    assert all("<" in line for line in lines), lines
