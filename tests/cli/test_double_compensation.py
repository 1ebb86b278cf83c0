"""A class-balanced sampler beside a loss that corrects the prior is named, once."""

import logging

import pytest

from lt_lightning.cli.checks import warn_of_double_compensation
from lt_lightning.data import Digits, Exponential, LongTailDataModule
from lt_lightning.losses import BalancedSoftmax, CrossEntropy, InverseFrequency, LogitAdjustment
from lt_lightning.methods import BCL, CMO, ERM, Decoupled, HybridContrastive, PaCo
from lt_lightning.samplers import (
    ClassBalanced,
    InstanceBalanced,
    Power,
    ProgressivelyBalanced,
    StepSwitch,
)
from lt_lightning.schedule import StepAt


@pytest.fixture
def told(caplog):
    """Return a function: the warnings for a sampler, or for one per stream, and a method."""

    def warnings(draws, method=ERM, epochs=10, **model):
        streams = {"samplers": draws} if isinstance(draws, dict) else {"sampler": draws}
        data = LongTailDataModule(source=Digits(size=8), profile=Exponential(20), **streams)
        made = method(class_counts=data.class_counts, **model)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "lt_lightning"):
            warn_of_double_compensation(data, made, epochs)
        return [record.getMessage() for record in caplog.records]

    logging.getLogger("lt_lightning").propagate = True
    return warnings


@pytest.mark.parametrize(
    "sampler", [ClassBalanced(), Power(0.5), ProgressivelyBalanced(), StepSwitch(0.8)]
)
def test_sampler_and_loss_that_both_compensate_are_named(told, sampler):
    (sentence,) = told(sampler, loss=BalancedSoftmax)
    name = type(sampler).__name__
    assert sentence.startswith(f"{name} does not draw the images as they are, and BalancedSoftmax")
    assert "the tail is compensated twice; use InstanceBalanced" in sentence


def test_one_of_them_alone_is_no_reason_to_warn(told):
    assert told(InstanceBalanced(), loss=BalancedSoftmax) == []
    assert told(ClassBalanced(), loss=CrossEntropy) == []
    assert told(ClassBalanced(), loss=lambda counts: LogitAdjustment(counts, tau=0.0)) == []


def test_class_weights_compensate_too(told):
    (sentence,) = told(
        ClassBalanced(), loss=lambda counts: CrossEntropy(counts, weights=InverseFrequency())
    )
    assert "and CrossEntropy with class weights compensates the class sizes too" in sentence
    even = InverseFrequency(power=0.0)
    assert told(ClassBalanced(), loss=lambda counts: CrossEntropy(counts, weights=even)) == []


def test_a_deferred_loss_counts_in_its_own_epochs(told):
    late = {"deferred_loss": BalancedSoftmax, "deferral": StepAt(0.5)}
    assert len(told(ClassBalanced(), **late)) == 1
    assert len(told(StepSwitch(0.5), **late)) == 1
    assert told(StepSwitch(0.5, ClassBalanced(), InstanceBalanced()), **late) == []
    first = {"loss": BalancedSoftmax, "deferred_loss": CrossEntropy, "deferral": StepAt(0.5)}
    assert told(StepSwitch(0.5), **first) == []


def test_deferred_class_weights_count_in_their_own_epochs(told):
    late = {"deferred_weights": InverseFrequency(), "deferral": StepAt(0.5)}
    (sentence,) = told(ClassBalanced(), **late)
    assert "CrossEntropy with class weights" in sentence
    assert told(InstanceBalanced(), **late) == []
    assert told(StepSwitch(0.5, ClassBalanced(), InstanceBalanced()), **late) == []


def test_stream_of_the_classifier_counts_beside_a_contrastive_branch(told):
    draws = {"features": InstanceBalanced(), "classifier": ClassBalanced()}
    (sentence,) = told(draws, method=BCL)
    assert sentence.startswith("ClassBalanced does not")
    assert told({**draws, "classifier": InstanceBalanced()}, method=BCL) == []
    assert told(draws, method=HybridContrastive) == []
    assert len(told({"images": ClassBalanced()}, method=PaCo)) == 1
    assert told({"images": InstanceBalanced()}, method=PaCo) == []
    assert len(told(draws, method=HybridContrastive, loss=BalancedSoftmax)) == 1


def test_each_stage_has_its_own_sampler_and_loss(told):
    draws = {"stage1": InstanceBalanced(), "stage2": ClassBalanced()}
    stages = {"method": Decoupled, "stage1_epochs": 2, "stage2_epochs": 1}
    (sentence,) = told(draws, stage2_loss=BalancedSoftmax, **stages)
    assert sentence.startswith("ClassBalanced does not")
    assert told(draws, loss=BalancedSoftmax, **stages) == []


def test_streams_that_are_mixed_draw_the_tail_on_purpose(told):
    draws = {"background": InstanceBalanced(), "foreground": ClassBalanced()}
    assert told(draws, method=CMO, loss=BalancedSoftmax) == []


def test_command_says_it_in_one_line_and_trains(lt, place):
    answer = lt(f"fit {place['quick']} --model.loss BalancedSoftmax --data.sampler ClassBalanced")

    assert answer.status == 0, answer.err
    assert answer.err.count("the tail is compensated twice") == 1
