"""Classes from outside that cannot be built, or fail: each is told in one sentence."""

from functools import partial
from typing import Any

import pytest
import torch
from packages import site
from sentences import sentence_of
from torch import Tensor, nn

from lt_lightning import augment, backbones, data, losses, methods, samplers
from lt_lightning.engine.base import BackboneFactory, LossFactory
from lt_lightning.errors import Refused
from lt_lightning.runs import gate

__all__ = ["site"]  # a fixture
LATER = ("model.class_counts", "model.class_names", "model.groups")


class WithoutCatchAll(methods.ERM):
    def __init__(self, *, weight: float = 0.5) -> None:
        super().__init__()


class UntypedMethod(methods.ERM):
    def __init__(self, *, weight=0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class UntypedLoss(losses.CrossEntropy):
    def __init__(self, class_counts, tau, **options: Any) -> None:  # counts are given by us
        super().__init__(class_counts, **options)


class TypedLoss(losses.CrossEntropy):
    def __init__(self, class_counts, *, tau: float = 1.0, **options: Any) -> None:
        super().__init__(class_counts, **options)


class BelowUntyped(UntypedLoss):
    pass


class Hides(UntypedLoss):
    def __init__(self, class_counts, *, depth: int = 3) -> None:
        super().__init__(class_counts, 1.0)


class Types(UntypedLoss):
    def __init__(self, class_counts, *, tau: float = 1.0, **options: Any) -> None:
        super().__init__(class_counts, tau, **options)


class UntypedSampler(samplers.ClassBalanced):
    def __init__(self, share=True) -> None:
        self.share = share


class UntypedBackbone(backbones.ResNetCIFAR):
    def __init__(self, width) -> None:
        super().__init__(width=width)


class UntypedSource(data.Digits):
    def __init__(self, kind="small") -> None:
        super().__init__()


class UntypedAugment(augment.RandomCropFlip):
    def __init__(self, padding) -> None:
        super().__init__(padding)


@pytest.mark.parametrize(
    ("kind", "hint", "says"),
    [
        (WithoutCatchAll, methods.LongTailModule, "does not take class_counts: end its parameters"),
        (UntypedMethod, methods.LongTailModule, "type of weight: write it, such as `weight: float"),
        (UntypedLoss, LossFactory, "type of tau: write it, such as `tau: float`"),
        (BelowUntyped, LossFactory, "UntypedLoss, such as `tau: float`"),
        (UntypedSampler, samplers.SamplingRule, "such as `share: bool = True`"),
        (UntypedBackbone, BackboneFactory, "type of width"),
        (UntypedSource, data.Source, "such as `kind: str = 'small'`"),
        (UntypedAugment, augment.BatchTransform, "type of padding"),
    ],
)
def test_a_constructor_that_cannot_be_given_its_values_is_refused(kind, hint, says):
    path = f"{kind.__module__}.{kind.__qualname__}"
    with pytest.raises(Refused) as caught:
        gate.check("model", {"class_path": path}, hint, LATER)
    assert caught.value.sentence.startswith(f"model is {path}, whose constructor does not ")
    assert says in caught.value.sentence


def test_what_a_factory_gives_needs_no_type():
    gate.check("model.loss", {"class_path": f"{__name__}.TypedLoss"}, LossFactory)
    # ... nor does what the own constructor hides, or says the type of,
    for name in ("Hides", "Types"):
        gate.check("model.loss", {"class_path": f"{__name__}.{name}"}, LossFactory)
    # ... nor do constructors of ours and of torch.
    gate.check("model.head", {"class_path": "torch.nn.Linear"}, nn.Module)


class EarlyLoss(losses.CrossEntropy):
    def __init__(self, class_counts: Any) -> None:
        self.inner = nn.Linear(2, 2)


class EarlyBackbone(backbones.Backbone):
    def __init__(self) -> None:
        self.inner = nn.Linear(2, 2)

    def forward(self, images: Tensor) -> Tensor:
        return images


class FailingSampler(samplers.ClassBalanced):
    def __init__(self) -> None:
        _helper({})


class FailingSource(data.Digits):
    def class_names(self, root: Any) -> list[str]:
        raise RuntimeError("No list here. Look there.")


class ForgetfulSource(data.Digits):
    def __init__(self) -> None:
        pass


class ForgetfulLoss(losses.CrossEntropy):
    def __init__(self, class_counts: Any) -> None:
        nn.Module.__init__(self)


class ForgetfulAugment(augment.RandomCropFlip):
    def __init__(self) -> None:
        pass


class Careless(losses.CrossEntropy):
    def __init__(self, class_counts: Any) -> None:
        self.tau = 1.0


class OfCareless(methods.ERM):
    """A sound method, whose base asks its loss."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(loss=Careless, **kwargs)


def _helper(table: dict[str, int]) -> int:
    return table["missing"]


SUPER = "call `super().__init__(...)` first in its constructor"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (partial(EarlyLoss, [2, 1]), f"EarlyLoss.__init__ failed in {__file__}, line "),
        (EarlyBackbone, f"cannot assign module before Module.__init__() call): {SUPER}"),
        (FailingSampler, "FailingSampler.__init__ failed in "),
        (FailingSampler, "(KeyError: 'missing'): mend it there, LT_DEBUG=1 shows the traceback."),
        (partial(FailingSource().class_names, ""), "(RuntimeError: No list here; Look there): "),
        (partial(ForgetfulSource().load, ""), f"{SUPER}, or set size there."),
        (partial(OfCareless, class_counts=[2, 1]), "Careless is not complete (AttributeError: "),
        (partial(ForgetfulLoss([2, 1]), [[1.0, 2.0]], [0]), f"{SUPER}, or set "),
        (
            lambda: ForgetfulAugment()(
                torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.Generator()
            ),
            f"{SUPER}, or set ",
        ),
    ],
)
def test_an_error_in_a_class_from_outside_names_it_and_its_line(act, says):
    sentence = sentence_of(act)
    assert says in sentence
    assert f"{__name__}." in sentence
