"""The kinds of hostile cases; each makes one from a generator and a finished run."""

import copy
import json
import shutil
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from random import Random
from typing import Any

import hostile
import inputs
import numpy as np
import sweeps
import torch
import yaml
from config_files import CONFIGS, METHOD_FILES
from PIL import Image
from world import Case

TINY = [
    *("--data.source.size=8", "--data.batch_size=64", "--model.backbone.depth=8"),
    *("--model.backbone.width=4", "--trainer.accelerator=cpu", "--trainer.precision=32-true"),
    *("--trainer.max_epochs=1", "--trainer.fast_dev_run=true"),
]
# These start processes, as they are asked to; their numbers are tested by themselves.
_STARTS_PROCESSES = ("trainer.devices", "trainer.num_nodes", "trainer.strategy", "data.workers")
_NUMBERS = ("x", "-1", "1.5", "", "9" * 30, "²", "0x1", "nan", " ", "1 2")
_VARIABLES = (
    *("SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_RESTART_COUNT"),
    *("SLURM_JOB_ID", "SLURM_JOB_NAME", "RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE"),
    *("GROUP_RANK", "TORCHELASTIC_RESTART_COUNT", "PL_GLOBAL_SEED", "LT_CACHE", "LT_RUN_FOLDER"),
    *("LT_RECORD", "MASTER_PORT", "LT_ANYTHING", "XDG_CACHE_HOME", "TORCHELASTIC_RUN_ID"),
)

_MORE = {**inputs.KINDS, **sweeps.KINDS}


class Maker:
    """Makes cases below a folder.

    Args:
        root: the folder.
        run: a finished run, which is copied and never changed.
        seed: of everything that is drawn.
    """

    def __init__(self, root: Path, run: Path, seed: int) -> None:
        self.root, self.run, self.random = root, run, Random(seed)
        self.canary, self.number = root / "canary", 0
        self.calls = hostile.calls(str(self.canary))
        self.images = root / "images"
        self.images.mkdir()
        Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(self.images / "0.png")

    @cached_property
    def checkpoint(self) -> dict[str, Any]:
        return dict(torch.load(self.run / "checkpoints" / "last.ckpt", weights_only=True))

    @cached_property
    def config(self) -> dict[str, Any]:
        return dict(yaml.safe_load((self.run / "config.yaml").read_text(encoding="utf-8")))

    @cached_property
    def results(self) -> dict[str, Any]:
        return dict(json.loads((self.run / "results.json").read_text(encoding="utf-8")))

    @cached_property
    def keys(self) -> list[str]:
        """The options of a fit, those of the classes that it builds too."""
        from lightning import Trainer

        from lt_lightning.cli.words.messages import known_keys
        from lt_lightning.cli.words.parser import LTParser
        from lt_lightning.data import LongTailDataModule
        from lt_lightning.methods import ERM

        parser = LTParser()
        parser.add_lightning_class_args(Trainer, "trainer")
        parser.add_lightning_class_args(LongTailDataModule, "data")
        parser.add_class_arguments(ERM, "model", fail_untyped=False)
        of_run = ("name", "version", "ckpt_path", "seed_everything", "checkpoint.monitor",
                  "checkpoint.mode", "checkpoint.every_n_steps", "pretrain.config",
                  "pretrain.options", "post_hoc")  # fmt: skip
        inner = (
            "data.source.size", "data.profile.imbalance_ratio", "data.augment.padding",
            "data.holdout.fraction", "model.optimizer.lr", "model.optimizer.momentum",
            "model.loss.weights", "model.backbone.depth", "model.backbone.width", "model.head.bias",
            "model.lr_schedule.warmup_epochs", "model.deferral.at",
        )  # fmt: skip
        found = [*known_keys(parser), *of_run, *inner]
        return [key for key in found if key not in _STARTS_PROCESSES and key != "config"]

    def make(self, kind: str) -> Case:
        """Return the next case of a kind."""
        self.number += 1
        makers: dict[str, Callable[[Path], Case]] = {
            "config": self._config,
            "text": self._text,
            "option": self._option,
            "checkpoint": self._checkpoint,
            "results": self._results,
            "environment": self._environment,
            "class path": self._attack,
            **{name: partial(make, self) for name, make in _MORE.items()},
        }
        folder = self.root / str(self.number)
        folder.mkdir()
        return makers[kind](folder)

    def copy(self, folder: Path) -> Path:
        """Return a copy of the run."""
        return Path(shutil.copytree(self.run, folder / "runs" / "held" / "0"))

    def command(self, run: Path, folder: Path, name: str | None = None) -> list[str]:
        """Return a command on a run."""
        name = name or self.random.choice(
            ("fit", "test", "validate", "predict", "cam", "calibrate", "features")
        )
        limits = ["--trainer.limit_test_batches=1", "--trainer.limit_val_batches=1"]
        out = str(folder / "out")
        return {
            "fit": ["fit", "--config", str(run / "config.yaml"), "--ckpt_path", str(run),
                    "--trainer.max_epochs=2", *limits],
            "test": ["test", str(run), *limits],
            "validate": ["validate", str(run), *limits],
            "predict": ["predict", str(run), "--images", str(self.images), "--out", f"{out}.csv"],
            "cam": ["cam", str(run), "--out", out, "--per_class", "1"],
            "calibrate": ["calibrate", str(run), *limits],
            "features": ["report", str(run), "--features"],
        }[name]  # fmt: skip

    def fit(self, folder: Path, *files: Path) -> list[str]:
        """Return a trial run of some config files."""
        given = [word for file in files for word in ("--config", str(file))]
        digits = ["--config", str(CONFIGS / "data" / "digits.yaml")]
        return ["fit", *given, *digits, *TINY, "--runs", str(folder / "runs")]

    def _config(self, folder: Path) -> Case:
        file = self.random.choice(METHOD_FILES)
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        place = hostile.any_place(self.random, content)
        if ".".join(map(str, place)) in _STARTS_PROCESSES:
            place = ("model",)
        word = self.random.choice(hostile.WORDS)
        marked = yaml.safe_dump(hostile.changed(content, place, "HERE"))
        (folder / "x.yaml").write_text(marked.replace("HERE", word), encoding="utf-8")
        what = f"{file.name} {place} {word[:60]!r}"
        return Case("config", self.fit(folder, folder / "x.yaml"), what)

    def _text(self, folder: Path) -> Case:
        """A file whose bytes are damaged: a config, or that of a run."""
        if self.random.random() < 0.5:
            file = self.random.choice(METHOD_FILES)
            new = hostile.damaged(self.random, file.read_bytes())
            (folder / "x.yaml").write_bytes(new)
            return Case("text", self.fit(folder, folder / "x.yaml"), f"{file.name} {new[:40]!r}")
        run = self.copy(folder)
        new = hostile.damaged(self.random, (run / "config.yaml").read_bytes())
        (run / "config.yaml").write_bytes(new)
        return Case("text", self.command(run, folder), f"config.yaml {new[:40]!r}", kept=(run,))

    def _option(self, folder: Path) -> Case:
        key, word = self.random.choice(self.keys), self.random.choice(hostile.WORDS)
        words = [*self.fit(folder, CONFIGS / "ce.yaml"), f"--{key}={word}"]
        return Case("option", words, f"{key} {word[:60]!r}")

    def _checkpoint(self, folder: Path) -> Case:
        run = self.copy(folder)
        file = run / "checkpoints" / "last.ckpt"
        what = "bytes"
        if self.random.random() < 0.1:
            file.write_bytes(hostile.damaged(self.random, b"PK" * 99))
        else:
            place = hostile.any_place(self.random, self.checkpoint)
            value = self.random.choice(
                hostile.TENSORS if place[0] == "state_dict" else hostile.VALUES
            )
            what = f"{place} {str(value)[:60] if value is not hostile.DELETED else 'deleted'}"
            torch.save(hostile.changed(self.checkpoint, place, value), file)
        return Case("checkpoint", self.command(run, folder), what, kept=(run,))

    def _results(self, folder: Path) -> Case:
        run = self.copy(folder)
        if self.random.random() < 0.3:
            file = run / self.random.choice(("metrics.csv", "results.json"))
            file.write_bytes(hostile.damaged(self.random, file.read_bytes()))
            what = f"bytes of {file.name}"
        else:
            place = hostile.any_place(self.random, self.results)
            value = self.random.choice(hostile.VALUES)
            new = hostile.changed(self.results, place, value)
            text = json.dumps(_text_keys(new), default=str)
            (run / "results.json").write_text(text, encoding="utf-8")
            what = f"{place} {str(value)[:60] if value is not hostile.DELETED else 'deleted'}"
        form = self.random.choice(
            [[], ["--format", "csv"], ["--format", "md"], ["--out", str(folder / "x.html")]]
        )
        return Case("results", ["report", str(run), *form], what, kept=(run,))

    def _environment(self, folder: Path) -> Case:
        names = self.random.sample(_VARIABLES, self.random.choice((1, 1, 2)))
        given = {name: self.random.choice(_NUMBERS) for name in names}
        words = self.random.choice(
            [self.fit(folder, CONFIGS / "ce.yaml"), self.command(self.copy(folder), folder)]
        )
        return Case("environment", words, str(given), environment=given)

    def _attack(self, folder: Path) -> Case:
        spec = copy.deepcopy(self.random.choice(self.calls))
        group, names = self.random.choice(
            [
                ("model", hostile.OF_MODEL),
                ("data", hostile.OF_DATA),
                ("trainer", hostile.OF_TRAINER),
            ]
        )
        name = self.random.choice((*names, ""))
        many = name in ("samplers", "augments")
        value = {"a": spec} if many else [spec] if name in ("callbacks", "plugins") else spec
        where = self.random.choice(("config", "run", "checkpoint", "option"))
        what = f"{where} {group}.{name} {spec}"
        if where == "option":
            words = [
                *self.fit(folder, CONFIGS / "ce.yaml"),
                f"--{group}.{name}={json.dumps(value)}",
            ]
            return Case("class path", words, what)
        if where == "config":
            content = {group: {name: value} if name else value}
            (folder / "x.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
            return Case(
                "class path", self.fit(folder, CONFIGS / "ce.yaml", folder / "x.yaml"), what
            )
        run = self.copy(folder)
        if where == "run":
            content = copy.deepcopy(self.config)
            part = content[group] if name else content
            if group == "model" and name:
                part = part["init_args"]
            part[name or group] = value
            (run / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        else:
            content = copy.deepcopy(self.checkpoint)
            key = name if group == "model" and name else self.random.choice(hostile.OF_MODEL)
            content["hyper_parameters"][key] = spec
            if self.random.random() < 0.2:
                content["hyper_parameters"]["_class_path"] = spec
            torch.save(content, run / "checkpoints" / "last.ckpt")
        return Case("class path", self.command(run, folder), what, kept=(run,))


def _text_keys(content: Any) -> Any:
    """Return a tree that JSON can hold."""
    if isinstance(content, dict):
        return {str(key): _text_keys(value) for key, value in content.items()}
    return [_text_keys(value) for value in content] if isinstance(content, list) else content
