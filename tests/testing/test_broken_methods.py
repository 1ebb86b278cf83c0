"""Every clause of the contract of methods has a method that breaks it."""

from typing import Any

import pytest
import torch

from lt_lightning.methods import ERM, Decoupled
from lt_lightning.testing import check_method
from lt_lightning.testing import methods as contract
from lt_lightning.testing.toy import toy_data


class Untyped(ERM):
    def __init__(self, *, weight=0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class WithoutCatchAll(ERM):
    def __init__(self, *, weight: float = 0.5) -> None:
        super().__init__()


class WithoutSuper(ERM):
    def __init__(self, *, weight: float = 0.5, **kwargs: Any) -> None:
        self.weight = weight


class EarlyPart(ERM):
    def __init__(self, **kwargs: Any) -> None:
        self.part = torch.nn.Linear(2, 2)


class Loose(ERM):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unused = torch.nn.Linear(2, 2)


class Heavy(ERM):
    def training_step(self, batch, batch_idx):
        terms = super().training_step(batch, batch_idx)
        return {**terms, "twice": 2 * terms["loss"]}


class Detached(ERM):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        outputs = self(images)
        loss = self.loss(outputs.detach() + 0 * outputs, targets)
        return self.log_train(len(targets), loss=loss)


class Evaluating(ERM):
    def training_step(self, batch, batch_idx):
        self.eval()
        return super().training_step(batch, batch_idx)


class Ascending(ERM):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        return self.log_train(len(targets), loss=-self.loss(self(images), targets))


class Rolled(ERM):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        return super().training_step((images, targets.roll(1)), batch_idx)


class RolledLater(Decoupled):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        return super().training_step((images, targets.roll(self.stage - 1)), batch_idx)


class Tied(ERM):
    def training_step(self, batch, batch_idx):
        assert self.trainer.world_size == 1
        return super().training_step(batch, batch_idx)


class OfTheTrainer(Decoupled):
    """Does something else in the second stage where there is a Trainer."""

    def training_step(self, batch, batch_idx):
        images, targets = batch
        factor = -1 if self.attached and self.stage == 2 else 1
        return super().training_step((factor * images, targets), batch_idx)


class Restless(ERM):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        return super().training_step((images + torch.rand(1), targets), batch_idx)


class Counting(ERM):
    steps = 0

    def training_step(self, batch, batch_idx):
        self.steps += 1
        images, targets = batch
        return super().training_step((self.steps * images, targets), batch_idx)


class Remembering(ERM):
    seen = 0.0

    def training_step(self, batch, batch_idx):
        self.seen += 1.0
        return super().training_step(batch, batch_idx)

    def predict_logits(self, images):
        return super().predict_logits(images) + self.seen


class TooFew(ERM):
    def predict_logits(self, images):
        return super().predict_logits(images)[:, :2]


class Together(ERM):
    def predict_logits(self, images):
        logits = super().predict_logits(images)
        return logits - logits.mean(0)


BROKEN = [
    (contract.constructor_is_open, Untyped, "weight.* have no type"),
    (contract.constructor_is_open, WithoutCatchAll, "the constructor fails .*class_counts"),
    (contract.constructor_is_open, WithoutSuper, "does not call super"),
    (contract.constructor_is_open, EarlyPart, "the constructor fails .*before Module"),
    (contract.every_trained_parameter_has_a_gradient, Loose, "unused.* have no gradient"),
    (contract.every_trained_parameter_has_a_gradient, Heavy, "'twice'} keep the graph"),
    (
        contract.every_trained_parameter_has_a_gradient,
        Detached,
        r"3\] all gradients are 0",
    ),
    (contract.modes_are_kept, Evaluating, "changes the mode of .*put it back"),
    (contract.labels_are_learned, Ascending, "of stage 1 .* are right, the largest class .* 0.35"),
    (contract.labels_are_learned, Rolled, "of stage 1 .* are right"),
    (contract.labels_are_learned, RolledLater, "of stage 2 .* are right"),
    (contract.steps_run_without_a_trainer, Tied, "needs a Trainer .*not attached"),
    (contract.steps_run_without_a_trainer, OfTheTrainer, "those of a Trainer"),
    (contract.global_generator_does_not_matter, Restless, "depend on the global generator"),
    (contract.resumed_run_has_the_same_weights, Counting, "a resumed run ends with other"),
    (contract.logits_are_those_of_the_checkpoint, Remembering, "does not hold all that"),
    (contract.logits_are_those_of_the_checkpoint, TooFew, "predict_logits gives"),
    (contract.logits_are_those_of_the_image, Together, "change by .* with the other images"),
]


@pytest.mark.parametrize(("check", "broken", "words"), BROKEN)
def test_contract_catches(check, broken, words, tmp_path, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    options = {"stage1_epochs": 1, "stage2_epochs": 1} if issubclass(broken, Decoupled) else {}
    runs = contract.Runs(broken, options, lambda: toy_data(broken.streams), 2, tmp_path)
    with pytest.raises(AssertionError, match=words):
        check(runs)


def test_every_clause_has_a_method_that_breaks_it():
    assert {row[0] for row in BROKEN} == set(contract.CHECKS)


def test_the_whole_contract_says_so():
    with pytest.raises(AssertionError, match="have no type"):
        check_method(Untyped)


class Silent(ERM):
    def training_step(self, batch, batch_idx):
        return None


@pytest.mark.filterwarnings("ignore:.training_step. returned .None.")  # of Lightning, which goes on
def test_a_step_that_returns_nothing_is_told():
    with pytest.raises(AssertionError, match=r"Silent\.training_step returned nothing"):
        check_method(Silent)
