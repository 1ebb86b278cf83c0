"""Each public remedy is in a file, or in an option that the head of a file shows."""

import inspect
import re

import pytest
from config_files import CONFIGS

from lt_lightning import augment, data, heads, losses, methods, post_hoc, samplers, tuning
from lt_lightning.augment import BatchTransform, Mixing
from lt_lightning.data import Profile, Source, Unlabelled
from lt_lightning.heads import ClassifierRule
from lt_lightning.losses import ContrastiveLoss, CrossEntropy, DeltaRule, Loss, WeightRule
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.samplers import SamplingRule
from lt_lightning.tuning import Tuning

FAMILIES = {
    augment: (BatchTransform, Mixing),
    heads: (ClassifierRule,),
    data: (Profile, Source, Unlabelled),
    losses: (ContrastiveLoss, DeltaRule, WeightRule),
    methods: (LongTailModule,),
    post_hoc: (PostHoc,),
    samplers: (SamplingRule,),
    tuning: (Tuning,),
}


def _abstract(kind):
    return any(getattr(getattr(kind, name, 0), "__isabstractmethod__", 0) for name in dir(kind))


def _remedies():
    for package, bases in FAMILIES.items():
        for name in package.__all__:
            kind = getattr(package, name)
            if inspect.isclass(kind) and issubclass(kind, bases) and not _abstract(kind):
                yield name


@pytest.fixture(scope="module")
def words():
    text = "\n".join(path.read_text(encoding="utf-8") for path in CONFIGS.rglob("*.yaml"))
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("name", sorted(_remedies()))
def test_remedy_is_in_a_config(name, words):
    assert name in words


def test_every_loss_goes_into_the_file_of_cross_entropy():
    """`--model.loss NAME` on configs/ce.yaml makes any loss; none asks for more than counts."""
    assert "class_path: CrossEntropy" in (CONFIGS / "ce.yaml").read_text(encoding="utf-8")
    found = [getattr(losses, name) for name in losses.__all__]
    kinds = [kind for kind in found if inspect.isclass(kind) and issubclass(kind, Loss)]
    for kind in kinds:
        if not inspect.isabstract(kind):
            kind([9, 5, 2])
    assert CrossEntropy in kinds


def test_remedies_are_found():
    assert {"ERM", "EffectiveNumber", "Reversed", "CutMix", "Cutout", "Step", "CIFAR10"} <= set(
        _remedies()
    )
