"""The losses under test. A public loss is tested with its defaults; here are other settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from lt_lightning import losses
from lt_lightning.losses import (
    ALA,
    LDAM,
    AdjustmentDelta,
    BalancedGroupSoftmax,
    EqualizedDelta,
    InfluenceBalanced,
    LabelAwareSmoothing,
    LabelOverSmoothing,
    LabelSmoothing,
    LogitAdjustment,
    Loss,
    MarginDelta,
    Pairwise,
    SigmoidFocal,
    SoftmaxFocal,
    VectorScaling,
    WeightRule,
)

COUNTS = (500, 9, 37, 120, 1, 60)  # unsorted, a class with one image, two classes per group
ENDS = {"eps_head": 0.4, "eps_tail": 0.1}

SETTINGS: dict[type[Loss], list[dict[str, Any]]] = {
    ALA: [{}, {"scale": 10.0}],
    BalancedGroupSoftmax: [{}, {"boundaries": (50,), "others_ratio": 0.5}, {"boundaries": ()}],
    InfluenceBalanced: [{}, {"detach": True, "alpha": 2.0, "eps": 0.1}],
    LabelAwareSmoothing: [
        {},
        {**ENDS, "form": "linear"},
        {**ENDS, "form": "convex"},
        {**ENDS, "form": "exp", "power": 3.0},
        {**ENDS, "form": "concave", "spread": "others"},
    ],
    LabelOverSmoothing: [{}, {"delta": 0.9}],
    LabelSmoothing: [{}, {"eps": 0.3, "spread": "others"}],
    LDAM: [{}, {"max_margin": 0.7, "scale": 10.0}],
    LogitAdjustment: [{}, {"tau": 1.7}],
    Pairwise: [
        {},
        {"delta": AdjustmentDelta(tau=1.5)},
        {"delta": MarginDelta(max_margin=0.3, scale=10.0)},
        {"delta": EqualizedDelta(threshold=0.1, gamma=0.8)},
        {"delta": EqualizedDelta(threshold=0.1, gamma=1.0)},
    ],
    SigmoidFocal: [{}, {"gamma": 0.5, "alpha": 0.25}, {"detach": True}],
    SoftmaxFocal: [{}, {"gamma": 0.5, "alpha": 0.25}, {"detach": True}],
    VectorScaling: [{}, {"gamma": 0.2, "tau": 1.2}],
}


def public(base: type) -> list[type]:
    """All exported classes below `base`."""
    exported = [getattr(losses, name) for name in losses.__all__]
    return [c for c in exported if isinstance(c, type) and issubclass(c, base) and c is not base]


@dataclass(frozen=True)
class Batch:
    logits: Tensor
    targets: Tensor
    features: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, index: Tensor) -> "Batch":
        return Batch(self.logits[index], self.targets[index], self.features[index])


@dataclass(frozen=True)
class Case:
    loss: type[Loss]
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        text = (f"{k}={getattr(v, '__dict__', v)}" for k, v in self.settings.items())
        return "-".join((self.loss.__name__, *text))

    def build(self, counts: Any = COUNTS, **changes: Any) -> Loss:
        return self.loss(torch.as_tensor(counts), **{**self.settings, **changes})

    def batch(self, n: int = 17, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        width = self.build().num_outputs
        logits = 3 * torch.randn(n, width, generator=generator, dtype=torch.float64)
        scale = self.build().scale or float("inf")
        logits = logits.clamp(-scale, scale)
        features = torch.randn(n, 4, generator=generator, dtype=torch.float64)
        targets = torch.randint(len(COUNTS), (n,), generator=generator)
        return Batch(logits.to(dtype), targets, features.to(dtype))

    def value(self, loss: Loss, batch: Batch, share: Any = None) -> Tensor:
        return loss(batch.logits, batch.targets, share, features=batch.features)

    def per_sample(self, loss: Loss, batch: Batch) -> Tensor:
        extra = (batch.features,) if loss.needs_features else ()
        return loss.per_sample(batch.logits, batch.targets, *extra)


class Given(WeightRule):
    """Weights by hand, one per class of COUNTS, times a factor."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def __call__(self, class_counts: Tensor) -> Tensor:
        weights = torch.tensor([0.2, 3.0, 1.0, 0.5, 4.0, 0.0], dtype=torch.float64)
        return self.factor * weights[: len(class_counts)]


CASES = [Case(loss, one) for loss in public(Loss) for one in SETTINGS.get(loss, [{}])]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Every public loss in every setting of the table."""
    return request.param


@pytest.fixture(params=public(Loss), ids=lambda c: c.__name__)
def loss_class(request: pytest.FixtureRequest) -> type[Loss]:
    return request.param


@pytest.fixture
def settings() -> dict[type[Loss], list[dict[str, Any]]]:
    return SETTINGS


@pytest.fixture
def public_classes() -> Callable[[type], list[type]]:
    return public


@pytest.fixture
def given() -> type[Given]:
    return Given


@pytest.fixture
def counts() -> Tensor:
    return torch.tensor(COUNTS)


@pytest.fixture
def make_case() -> type[Case]:
    return Case


@pytest.fixture
def cifar_counts() -> Callable[[int, int], Tensor]:
    """Counts of CIFAR-LT: int(n_max (1 / ratio)^(j / (C - 1)))."""

    def counts_of(num_classes: int, ratio: int) -> Tensor:
        head = 50000 / num_classes
        steps = [(1 / ratio) ** (j / (num_classes - 1)) for j in range(num_classes)]
        return torch.tensor([int(head * step) for step in steps])

    return counts_of
