"""What classes from outside give and should not: each is told in one sentence."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from packages import site
from sentences import sentence_of
from torch import Tensor, nn

from lt_lightning import augment, backbones, data, losses, methods, samplers, schedule
from lt_lightning.cli.words.errors import explain
from lt_lightning.testing import ToyImages, toy_data

__all__ = ["site"]  # a fixture
QUICK = "--data.source Digits --data.source.size 8 --trainer.max_epochs 1 --trainer.accelerator cpu"


class Flat(backbones.Backbone):
    out_features = 4

    def __init__(self, made=lambda x: x.mean((2, 3))[:, :1].expand(-1, 4)) -> None:
        super().__init__()
        self.scale, self.made = nn.Parameter(torch.ones(())), made

    def forward(self, images: Tensor) -> Tensor:
        return self.made(self.scale * images)


class TextWidth(Flat):
    out_features = "4"  # type: ignore[assignment]


class TextOutputs(losses.CrossEntropy):
    def __init__(self, class_counts: Any) -> None:
        super().__init__(class_counts)
        self.num_outputs = "3"  # type: ignore[assignment]


class OneInRow(methods.ERM):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return {"loss": self(batch[0]).mean()[None]}


class NumpyWidth(Flat):
    out_features = np.int64(4)  # type: ignore[assignment]


class NumpyZero(Flat):
    out_features = np.int64(0)  # type: ignore[assignment]


class NumpySchedule(schedule.Schedule):
    def __call__(self, epoch: int, max_epochs: int) -> float:
        return np.float32(0.5)  # type: ignore[return-value]


class NumpyEpoch(samplers.InstanceBalanced):
    def epoch_length(self, index: Any) -> int:
        return np.int64(len(index))  # type: ignore[return-value]


def test_numbers_of_numpy_are_numbers():
    steps(backbone=NumpyWidth, lr_schedule=NumpySchedule())
    reads(sampler=NumpyEpoch())


class Detached(methods.ERM):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return {"loss": super().training_step(batch, batch_idx)["loss"].detach()}


class Several(methods.ERM):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return {"loss": self(batch[0]).sum(1)}


class NoneSchedule(schedule.Schedule):
    def __call__(self, epoch: int, max_epochs: int) -> float:
        return None  # type: ignore[return-value]


class LostAugment(augment.RandomCropFlip):
    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        super().__call__(images, generator)  # and no return


class HalfEpoch(samplers.InstanceBalanced):
    def epoch_length(self, index: Any) -> int:
        return len(index) / 2  # type: ignore[return-value]


class Own(ToyImages):
    """Toy images, of which a test spoils something."""

    def __init__(self, spoil: Any = None, names: int = 5, counts: Any = None) -> None:
        self.spoil, self.names, self.counts = spoil, names, counts

    def class_names(self, root: Any) -> list[str]:
        return [str(c) for c in range(self.names)]

    def train_counts(self, root: Any) -> Tensor:
        return super().train_counts(root) if self.counts is None else self.counts

    def load(self, root: Any) -> Any:
        found = super().load(root)
        return found if self.spoil is None else self.spoil(found)


def read_badly(path: Any, train: bool) -> Tensor:
    return torch.zeros({}["missing"])


def _files(found: dict[str, Any]) -> dict[str, Any]:
    names = {split: (Path("x.png"),) * len(images) for split, images in found.items()}
    return {k: data.FileImages(images.labels, names[k], read_badly) for k, images in found.items()}


def _floats(found: dict[str, Any]) -> dict[str, Any]:
    train = data.MemoryImages(found["train"].labels.float(), found["train"].images)
    return {**found, "train": train}


def _grey(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "val": data.MemoryImages(found["val"].labels, found["val"].images[:, 0])}


def steps(kind: Any = methods.ERM, **options: Any) -> None:
    """Train two steps without a Trainer, with what Lightning calls before each."""
    module = kind(class_counts=[3, 2, 1], **{"backbone": Flat, **options})
    module.set_epoch(0, 1)
    optimizer = module.configure_optimizers()["optimizer"]
    batch = torch.rand(2, 3, 8, 8), torch.tensor([0, 2])
    for number in range(2):
        loss = module.training_step(batch, number)["loss"]
        module.on_before_backward(loss)
        loss.backward()
        optimizer.step()


def reads(source: Any = None, **options: Any) -> None:
    """Read the first batch of the data."""
    module = toy_data(source=source or ToyImages(), **options)
    module.class_counts  # noqa: B018  read before any image, as the command does
    module.setup("fit")
    next(iter(module.train_dataloader()))


def flat(made: Any) -> partial[Any]:
    return partial(steps, backbone=partial(Flat, made))


COUNTS = torch.tensor([12, 9, 6, 4, 3])


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (flat(lambda x: x.mean((2, 3))), "Flat gave float32 (2, 3) for 2 images and has"),
        (flat(lambda x: x.mean((2, 3))), "return floats (N, D) = (2, 4)"),
        (flat(lambda x: x[:, :, :4, :4]), "(2, 3, 4, 4) for 2 images and has out_features 4: retu"),
        (flat(lambda x: x[:, :, :4, :4]), "; x.mean((2, 3)) makes it of maps."),
        (flat(lambda x: None), "Flat gave None for 2 images"),
        (partial(steps, backbone=TextWidth), "TextWidth.out_features is '4': set it in the constr"),
        (partial(steps, loss=TextOutputs), "TextOutputs.num_outputs is '3': set it"),
        (partial(steps, Detached), "Detached.training_step gave a loss without a gradient: make"),
        (partial(steps, backbone=NumpyZero), "NumpyZero.out_features is 0: set it"),
        (partial(steps, OneInRow), "OneInRow.training_step gave float32 (1,) as loss: give one"),
        (partial(steps, Several), "Several.training_step gave float32 (2,) as loss: give one num"),
        (partial(steps, lr_schedule=NoneSchedule()), "NoneSchedule gave None for epoch 0 of 1: r"),
        (partial(steps, mixing_schedule=NoneSchedule()), "NoneSchedule gave (TypeError: '>' no"),
        (partial(steps, mixing_schedule=NoneSchedule()), "Schedule says of __call__; LT_DEBUG=1 s"),
        (partial(reads, Own(_floats)), "Own.load()['train'] has the labels float32 (34,): give i"),
        (partial(reads, Own(_grey)), "Own.load()['val'] has the images uint8 (20, 16, 16) for 20"),
        (partial(reads, Own(lambda s: {"train": s["train"]})), "Own.load gave train and no 'test'"),
        (partial(reads, Own(lambda s: [*s.values()])), "Own.load gave a list: return a mapping"),
        (partial(reads, Own(counts=[12, 9, 6, 4, 3])), "Own.train_counts gave a list: return int6"),
        (partial(reads, Own(counts=COUNTS.flip(0))), "gave 3 for class 0 and Own.load 12 training"),
        (partial(reads, Own(names=4)), "Own.train_counts has 5 classes and class_names 4: give o"),
        (partial(reads, Own(names=4, counts=COUNTS[:4])), "labels from 0 to 4 but class_names has"),
        (partial(reads, augment=LostAugment()), "LostAugment gave None for uint8 (8, 3, 16, 16)"),
        (partial(reads, sampler=HalfEpoch()), "HalfEpoch.epoch_length gave 17.0: return a whole n"),
        (partial(reads, Own(_files), workers=1), "read_badly failed in " + __file__ + ", line "),
        (partial(reads, Own(_files), workers=1), "in a worker (KeyError: 'missing'): mend it th"),
    ],
)
def test_what_a_class_from_outside_gives_is_told_with_its_name(act, says):
    sentence = sentence_of(act)
    assert says in sentence
    assert "tensor(" not in sentence


def test_numbers_of_a_tensor_are_not_told():
    class Dumps(losses.CrossEntropy):
        def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
            raise KeyError(logits)

    with pytest.raises(KeyError) as caught:
        Dumps([2, 1])(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]))
    assert "KeyError: tensor(...)): mend it there" in str(explain(caught.value))


GIVEN = f"{__name__}.NoneSchedule"
OURS = """
def never(given):
    return 1 / 0

def holds(given):
    return given["a"][0] / 0

def uses(given):
    return given(1, 2) / 0

def around(given):
    given(1, 2)
    return never(None)
"""


@pytest.mark.parametrize(
    ("function", "given", "says"),
    [
        ("never", NoneSchedule(), None),
        ("never", {"a": [NoneSchedule()]}, None),
        ("holds", {"a": [1]}, None),
        ("uses", NoneSchedule(), f"made.uses failed with what {GIVEN} gave (TypeError: "),
        ("uses", NoneSchedule(), "'NoneType' and 'int') in ours.py, line 9: compare it with what "),
        ("around", NoneSchedule(), "made.never failed in ours.py, line 3 (ZeroDivisionError: "),
        ("around", NoneSchedule(), f"by zero) while {GIVEN} was in use: try without it, and rep"),
    ],
)
def test_what_fails_in_our_code_is_blamed_on_what_it_works_with_alone(function, given, says):
    ours: dict[str, Any] = {"__name__": "lt_lightning.made"}
    exec(compile(OURS, "ours.py", "exec"), ours)
    with pytest.raises((TypeError, ZeroDivisionError)) as caught:
        ours[function](given)
    told = explain(caught.value)
    assert told is None if says is None else says in str(told)


def test_an_error_of_ours_is_none_of_an_outside_class():
    with pytest.raises(TypeError) as caught:
        losses.CrossEntropy()
    assert explain(caught.value) is None


BROKEN = """
from torch import nn
from lt_lightning import methods, samplers
class Counts(samplers.InstanceBalanced):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return class_counts.double() / (1 if epoch else class_counts.sum())
    changes_over_run = True
class NoLoss: pass
class Vector(methods.ERM):
    def training_step(self, batch, batch_idx):
        return self.log_train(len(batch[0]), loss=self(batch[0]).sum(1))
class Lost(methods.ERM):
    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx)["loss"].detach()
class EarlyMethod(methods.ERM):
    def __init__(self, *, weight: float = 0.5, **kwargs):
        self.inner = nn.Linear(2, 2)
class Stream(methods.ERM):
    def learned_stream(self, epoch):
        return "tail"
class Weighs(methods.ERM):
    def drawn_weights(self):
        return [1.0] * 10
"""


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        (
            "--model beginners.EarlyMethod",
            1,
            "before Module.__init__() call): call `super().__init__(...)` first in its constructor",
        ),
        (
            "--model beginners.Stream",
            1,
            "Stream.learned_stream gave 'tail' for epoch 0: return one",
        ),
        ("--model beginners.Weighs", 1, "Weighs.drawn_weights gave a list for 10 classes: return"),
        (
            "--model beginners.Vector --trainer.precision 32-true",
            1,
            "Vector.training_step gave float32 (128,) as l",
        ),
        ("--model beginners.Lost --model.backbone.depth 8", 1, "Lost.training_step gave a loss wi"),
        (
            "--model ERM --data.sampler beginners.Counts --trainer.max_epochs 2",
            1,
            "Counts.class_probabilities gave shares with the sum",
        ),
        (
            "--model ERM --model.loss beginners.NoLoss",
            2,
            "model.loss is 'beginners.NoLoss', which is not a subclass of Loss: give one of ALA,",
        ),
    ],
)
def test_the_command_ends_with_that_sentence(lt, site, given, status, says):
    (site / "beginners.py").write_text(BROKEN)
    answer = lt(f"fit {QUICK} {given}")
    assert answer.status == status
    assert says in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err


WEIGHS = """
import torch
from lt_lightning import methods
class Drops(methods.ERM):
    def drawn_weights(self):
        return torch.tensor([0.0] + [1.0] * 9, dtype=torch.float64)
"""


def test_a_class_that_weighs_nothing_leaves_a_checkpoint_that_is_read(lt, site):
    (site / "weighing.py").write_text(WEIGHS)
    answer = lt(f"fit {QUICK} --model weighing.Drops --model.backbone.depth 8 --name drops")
    assert answer.status == 0, answer.err
    answer = lt("test runs/drops/0")
    assert answer.status == 0, answer.err
