"""Every clause of the contract of samplers has a rule that breaks it."""

import itertools

import pytest
import torch

from lt_lightning.samplers import (
    ClassBalanced,
    ClassRule,
    InstanceBalanced,
    ProgressivelyBalanced,
)
from lt_lightning.testing import check_sampling_rule
from lt_lightning.testing import samplers as contract


class Untyped(ClassBalanced):
    def __init__(self, share=1):
        self.share = share


class Narrow(ClassBalanced):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return super().class_probabilities(class_counts, epoch, max_epochs).float()


class Negative(ClassBalanced):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return torch.tensor([-0.2, 0.3, 0.3, 0.3, 0.3], dtype=torch.float64)


class Weights(ClassBalanced):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return 2 * super().class_probabilities(class_counts, epoch, max_epochs)


class OfTensors(ClassRule):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        rule = ClassBalanced() if isinstance(class_counts, list) else InstanceBalanced()
        return rule.class_probabilities(class_counts, epoch, max_epochs)


class Liar(InstanceBalanced):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return ClassBalanced().class_probabilities(class_counts, epoch, max_epochs)


class FirstHalf(ClassRule):
    def class_probabilities(self, class_counts, epoch, max_epochs):
        return ClassBalanced().class_probabilities(class_counts, epoch, max_epochs)

    def draw(self, index, size, generator, epoch, max_epochs):
        drawn = torch.randint(len(index.counts), (size,), generator=generator)
        half = (index.counts[drawn] + 1) // 2
        place = (torch.rand(size, generator=generator) * half).long()
        return index.order[index.start[drawn] + place]


class Undeclared(ProgressivelyBalanced):
    changes_over_run = False


class Overdeclared(ClassBalanced):
    changes_over_run = True


class Unseeded(ClassBalanced):
    def draw(self, index, size, generator, epoch, max_epochs):
        own = torch.Generator().manual_seed(int(torch.randint(10**6, ())))
        return super().draw(index, size, own, epoch, max_epochs)


class SameSeed(ClassBalanced):
    def draw(self, index, size, generator, epoch, max_epochs):
        own = torch.Generator().manual_seed(epoch)
        return super().draw(index, size, own, epoch, max_epochs)


class SameEpoch(ClassBalanced):
    def draw(self, index, size, generator, epoch, max_epochs):
        seed = generator.initial_seed() // (97 * 1_000_003)
        own = torch.Generator().manual_seed(seed)
        return super().draw(index, size, own, epoch, max_epochs)


class EachItsOwn(ClassBalanced):
    def sampler(self, labels, *, rank=None, **options):
        options["seed"] += rank or 0
        return super().sampler(labels, rank=rank, **options)


class OtherLength(ClassBalanced):
    calls = itertools.count(1)

    def epoch_length(self, index):
        return len(index) + next(self.calls)


class OwnLength(ClassBalanced):
    def sampler(self, labels, *, num_samples=None, **options):
        return super().sampler(labels, **options)


class Elsewhere(ClassBalanced):
    def draw(self, index, size, generator, epoch, max_epochs):
        return 1000 + super().draw(index, size, generator, epoch, max_epochs)


BROKEN = [
    (contract.constructor_is_typed, Untyped, "share.* have no type"),
    (contract.shares_are_probabilities, Narrow, r"owed are float64 \(C,\)"),
    (contract.shares_are_probabilities, Negative, "each at least 0"),
    (contract.shares_are_probabilities, Weights, "sum to 2"),
    (contract.shares_are_probabilities, OfTensors, "others for a list of counts"),
    (contract.drawn_classes_follow_the_shares, Liar, "draws the classes with the shares"),
    (contract.every_image_can_be_drawn, FirstHalf, "30 of 60, 12 of 25, 5 of 10, 2 of 4, 0 of 1"),
    (contract.changes_are_declared, Undeclared, "set changes_over_run = True"),
    (contract.changes_are_declared, Overdeclared, "set changes_over_run = False"),
    (contract.draw_depends_on_seed_and_epoch_alone, Unseeded, "global random generator"),
    (contract.draw_depends_on_seed_and_epoch_alone, SameSeed, "another seed gives the same"),
    (contract.draw_depends_on_seed_and_epoch_alone, SameEpoch, "another epoch gives the same"),
    (contract.processes_share_one_draw, EachItsOwn, "three processes draw other images"),
    (contract.length_is_kept, OtherLength, "not as told"),
    (contract.length_is_kept, OwnLength, "an epoch of 37 images"),
]


@pytest.mark.parametrize(("check", "broken", "words"), BROKEN)
def test_contract_catches(check, broken, words):
    with pytest.raises(AssertionError, match=words):
        check(broken())


def test_every_clause_has_a_rule_that_breaks_it():
    assert {row[0] for row in BROKEN} == set(contract.CHECKS)


def test_what_is_refused_breaks_the_contract_too():
    with pytest.raises(AssertionError, match=r"Elsewhere\.draw gave numbers from 1000"):
        check_sampling_rule(Elsewhere())


def test_a_class_is_no_rule():
    with pytest.raises(AssertionError, match="Elsewhere is no rule: give an instance"):
        check_sampling_rule(Elsewhere)
