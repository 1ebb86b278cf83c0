"""`lt` in this process, one finished run for all tests, and broken input made on demand."""

import contextlib
import io
import logging
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
QUICK = (
    "--model ERM --model.backbone.depth 8 --model.backbone.width 4 --data.source Digits "
    "--data.source.size 8 --data.batch_size 64 --trainer.max_epochs 1 "
    "--trainer.limit_train_batches 2 --trainer.precision 32-true --trainer.accelerator cpu"
)
_LOGGERS = ("lt_lightning", "lightning.pytorch", "lightning.fabric")


@dataclass(frozen=True)
class Answer:
    """What a command left behind: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


def call(line: str) -> Answer:
    """Run `lt` with the words of `line` in this process, and leave no trace in it."""
    from lt_lightning.cli import main

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(log, log.level, log.propagate, log.handlers[:]) for log in loggers]
    environment = dict(os.environ)
    loggers[0].handlers.clear()  # the handler of an earlier call writes into its own stream
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(shlex.split(line))
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for log, level, propagate, handlers in before:
            log.setLevel(level)
            log.propagate, log.handlers[:] = propagate, handlers
    return Answer(status, out.getvalue(), err.getvalue())


@pytest.fixture
def lt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Answer]:
    """Return a function that runs `lt` in an empty folder, without figures, which take seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LT_DEBUG", raising=False)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with held-out images, after its tests; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = call(f"fit {QUICK} --name held --data.holdout.fraction 0.1")
    assert answer.status == 0, answer.err
    return folder / "runs" / "held" / "0"


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> "Places":
    """Return broken and sound input by name."""
    return Places(tmp_path, request)


class Places(dict[str, str]):
    """Paths by name, each made when it is first asked for."""

    def __init__(self, root: Path, request: pytest.FixtureRequest) -> None:
        super().__init__()
        self.root, self.request = root, request

    def __missing__(self, name: str) -> str:
        self[name] = str(getattr(self, f"make_{name}")())
        return self[name]

    def make_configs(self) -> Path:
        return REPOSITORY / "configs"

    def make_quick(self) -> str:
        return QUICK

    def make_digits(self) -> str:
        return f"--config {self['configs']}/data/digits.yaml --trainer.max_epochs 1"

    def make_run(self) -> Path:
        return Path(self.request.getfixturevalue("finished"))

    def make_copy(self) -> Path:
        return Path(shutil.copytree(self["run"], self.root / "runs" / "copy" / "0"))

    def change_checkpoint(self, change: Callable[[dict], None]) -> Path:
        file = Path(self["copy"]) / "checkpoints" / "last.ckpt"
        content = torch.load(file, weights_only=True)
        change(content)
        torch.save(content, file)
        return file

    def make_cut(self) -> Path:
        file = Path(self["copy"]) / "checkpoints" / "last.ckpt"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        return file

    def make_pickle(self) -> Path:
        return self.change_checkpoint(lambda c: c.update(loop=_Evil(self.root / "was_run")))

    def make_tensor_file(self) -> Path:
        file = Path(self["copy"]) / "checkpoints" / "tensor.ckpt"
        torch.save(torch.zeros(3), file)
        return file

    def make_of_bbn(self) -> Path:
        name = "lt_lightning.methods.BBN"
        return self.change_checkpoint(lambda c: c["hyper_parameters"].update(_class_path=name))

    def make_of_five_classes(self) -> Path:
        five = {"class_counts": [9, 7, 5, 3, 1], "class_names": list("abcde"), "groups": None}
        return self.change_checkpoint(lambda c: c["hyper_parameters"].update(five))

    def make_of_other_shape(self) -> Path:
        halved = {"head.weight": torch.zeros(10, 8)}
        return self.change_checkpoint(lambda c: c["state_dict"].update(halved))

    def make_no_last(self) -> Path:
        (Path(self["copy"]) / "checkpoints" / "last.ckpt").unlink()
        return Path(self["copy"])

    def make_no_split(self) -> Path:
        file = Path(self["copy"]) / "config.yaml"
        text = file.read_text(encoding="utf-8")
        start, end = text.index("  holdout:"), text.index("  monitor_test:")
        (Path(self["copy"]) / "checkpoints" / "best.ckpt").unlink()
        file.write_text(f"{text[:start]}  holdout: null\n{text[end:]}", encoding="utf-8")
        return Path(self["copy"])

    def make_damaged_config(self) -> Path:
        (Path(self["copy"]) / "config.yaml").write_text("trainer: [", encoding="utf-8")
        return Path(self["copy"])

    def make_stray(self) -> Path:
        return Path(shutil.copy(Path(self["run"]) / "checkpoints" / "last.ckpt", self.root))

    def make_empty(self) -> Path:
        (self.root / "empty").mkdir()
        return self.root / "empty"

    def make_file(self) -> Path:
        (self.root / "file").write_text("in the way\n", encoding="utf-8")
        return self.root / "file"

    def make_images(self) -> Path:
        """train/ and test/ with two classes of three images."""
        for split in ("train", "test"):
            for shade, name in enumerate(("cat", "dog")):
                draw_images(self.root / "images" / split / name, shade)
        return self.root / "images"

    def make_torn(self) -> Path:
        file = Path(self["images"]) / "train" / "dog" / "1.png"
        file.write_bytes(file.read_bytes()[:60])
        return Path(self["images"])

    def make_empty_class(self) -> Path:
        (Path(self["images"]) / "train" / "owl").mkdir()
        return Path(self["images"])

    def make_more_in_test(self) -> Path:
        draw_images(Path(self["images"]) / "test" / "owl", 2)
        return Path(self["images"])

    def make_only_train(self) -> Path:
        shutil.rmtree(Path(self["images"]) / "test")
        return Path(self["images"])

    def make_flat(self) -> Path:
        draw_images(self.root / "flat", 1)
        return self.root / "flat"

    def make_tree(self) -> Path:
        return Path(self["images"]) / "train"


class _Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def draw_images(folder: Path, shade: int, count: int = 3) -> None:
    """Write small PNG files of noise."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(shade)
    for number in range(count):
        pixels = generator.integers(0, 80, (16, 16, 3), dtype=np.uint8) + np.uint8(80 * shade)
        Image.fromarray(pixels).save(folder / f"{number}.png")


@pytest.fixture
def snapshot() -> Callable[[Path], dict[Path, bytes]]:
    """Return a function that reads all files of a folder."""
    return lambda root: {p: p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every download fail."""
    from urllib.error import URLError

    def refuse(*args: object, **kwargs: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
