"""The test images of a finished run, seen again by the run: what it takes each of them for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.cli.run_data import data_of_checkpoint
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.loader import EvalLoader, Pipeline
from lt_lightning.data.source import FileImages, ImageSet
from lt_lightning.engine.changes import names_of
from lt_lightning.engine.digest import digest_of
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.errors import UserError, printable
from lt_lightning.home import home
from lt_lightning.methods import LongTailModule
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.evaluations import parts, tested_images
from lt_lightning.runs.results import FILE_NAME, read_results


@dataclass(frozen=True)
class Asked:
    """Which weights of which run, and on which data.

    Attributes:
        folder: of the run.
        checkpoint: the file.
        content: what it holds.
        words: options of the data from the command line.
        prog: the command.
        weights: a digest of them, for the tests of these alone; none takes those of any.
    """

    folder: Path
    checkpoint: Path
    content: Mapping[str, Any]
    words: list[str]
    prog: str
    weights: str | None = None

    def data(self) -> LongTailDataModule:
        """Return the data, set up.

        Raises:
            UserError: if they are gone, or not those of the training.
        """
        given = self.folder, self.checkpoint, self.content, self.words, self.prog
        return data_of_checkpoint(*given)

    @property
    def tests(self) -> dict[str, str | None]:
        """The evaluations of these weights, as they are changed, with their test images."""
        if not (self.folder / FILE_NAME).is_file():
            return {}
        known = read_results(self.folder)["evaluations"]
        mine = self.checkpoint.stem, "+".join(names_of(self.content))
        return {
            name: tested_images(one)
            for name, one in known.items()
            if parts(name)[:2] == mine and self._is_of(one)
        }

    def _is_of(self, evaluation: Mapping[str, Any]) -> bool:
        told = evaluation["checkpoint"].get("weights")
        return None in (told, self.weights) or told == self.weights


class ImagesOfTest:
    """The images that a run was tested on, as evaluation sees them.

    These are the test split, or the held-out images of a run that was tested on them alone.

    Attributes:
        data: the data of the run.
        images: the images.
        evaluation: the test of them in results.json, or none.
    """

    def __init__(self, asked: Asked) -> None:
        self.data = asked.data()
        self.evaluation = _test_of(self.data, asked.tests)
        held_out = self.evaluation is None and self.data.has_validation
        if held_out and not self.data.monitor_test:
            self.data.test_on_held_out()
            self.evaluation = _test_of(self.data, asked.tests)
            self.data.held_out_tested = self.evaluation is not None
        split = "val" if self.data.held_out_tested else "test"
        self.images: ImageSet = self.data.whole(split).images

    def __len__(self) -> int:
        return len(self.images)

    def outcome(self, model: LongTailModule) -> "Outcome":
        """Return what the run takes each image for, as a test counts it.

        Raises:
            UserError: if the run was trained without labels.
        """
        if model.self_supervised:
            raise UserError("The run was trained without labels and names no classes: use another.")
        found = []
        with torch.inference_mode(), exact(model.device):
            for images, _ in self.batches(self.images, model.device):
                logits = model.predict_logits(images).float().cpu()
                predicted = predicted_class(logits)
                confidence = logits.double().softmax(dim=1).amax(dim=1)  # 1 - 1e-12 is not 1
                found.append((predicted, confidence.where(predicted != NO_CLASS, 0.0)))
        predicted, confidence = (torch.cat(column) for column in zip(*found, strict=True))
        return Outcome(self.images.labels.cpu(), predicted, confidence)

    def batches(self, images: ImageSet, device: torch.device) -> EvalLoader:
        """Return some of the images and their labels as a test gets them."""
        return _batches(images, self.data, device, self.data.normalize)

    def pixels(self, places: Tensor) -> Iterator[Tensor]:
        """Yield the images at `places`, uint8 (3, H, W) each."""
        some, device = self.images.select(places), torch.device("cpu")
        for images, _ in _batches(some, self.data, device, lambda batch: batch):
            yield from images

    def file_names(self, places: Sequence[int]) -> list[str | None]:
        """Return the files at `places` as paths below the folder of the data; none where none."""
        files = self._files()
        if files is None:
            return [None] * len(places)
        root = self.data.tested_root or self.data.root
        return [_below(files[place], home(root)) for place in places]

    def _files(self) -> Sequence[Path] | None:
        if isinstance(self.images, FileImages):
            return self.images.paths
        if self.data.tested_root is not None or self.data.held_out_tested:
            return None  # small pictures, whose files are known of the source's own test alone
        return self.data.source.test_files(self.data.root)


@dataclass(frozen=True)
class Outcome:
    """What a run makes of N images.

    Attributes:
        labels: int64 (N,).
        predicted: int64 (N,), as `predicted_class` returns it.
        confidence: float64 (N,), the probability of that class; 0 where there is none.
    """

    labels: Tensor
    predicted: Tensor
    confidence: Tensor

    @property
    def wrong(self) -> int:
        """How many images have another class."""
        return int((self.predicted != self.labels).sum())


@dataclass(frozen=True)
class Opened:
    """The weights of a finished run with the images of their test.

    Attributes:
        checkpoint: the file.
        model: with these weights, in evaluation mode.
        weights: a digest of them.
        tested: the images.
        evaluation: their test in results.json.
        fingerprint: of the images.
    """

    checkpoint: Path
    model: LongTailModule
    weights: str
    tested: ImagesOfTest
    evaluation: str
    fingerprint: str


def open_tested(folder: Path, of_data: list[str], device: torch.device) -> Opened:
    """Open the last weights of a run, and the images that they were tested on.

    Args:
        folder: of the run.
        of_data: options of the data, over those of the run.
        device: where it predicts.

    Raises:
        UserError: if there is no checkpoint, the images are not there, or results.json has no
            test of these weights on them.
    """
    _, checkpoint = run_folder.of_run(str(folder))
    run_folder.occupy(folder)
    content = checkpoint_file.read(checkpoint)
    model = load_model(content, checkpoint).eval()
    weights = digest_of(model)
    tested = ImagesOfTest(Asked(folder, checkpoint, content, of_data, "lt report", weights))
    if tested.evaluation is None:
        raise UserError(
            "results.json has no test of these weights on these images: test the run by `lt test`."
        )
    fingerprint = tested.data.tested_fingerprint
    return Opened(checkpoint, model.to(device), weights, tested, tested.evaluation, fingerprint)


def _test_of(data: LongTailDataModule, tests: Mapping[str, str | None]) -> str | None:
    """Return the name of the test of these images; an old one does not say which it is of."""
    found = data.tested_fingerprint if tests else None
    same = [name for name, images in tests.items() if images == found]
    unknown = [name for name, images in tests.items() if images is None and "@" not in name]
    return next(iter([*sorted(same, key=lambda name: "@" in name), *unknown]), None)


def _batches(
    images: ImageSet,
    data: LongTailDataModule,
    device: torch.device,
    normalize: Callable[[Tensor], Tensor],
) -> EvalLoader:
    """Return the images in the batches of a test."""
    return EvalLoader(
        images,
        batch_size=data.eval_batch_size,
        pipeline=Pipeline(None, normalize, device),
        rank=0,
        world_size=1,
        workers=data.workers,
    )


def _below(file: Path, root: Path) -> str:
    """Return the path of a file below `root`, as text; its name where it lies elsewhere."""
    for one, other in ((file, root), (file.absolute(), root.absolute())):
        if one.is_relative_to(other):
            return printable(one.relative_to(other).as_posix())
    return printable(file.name)
