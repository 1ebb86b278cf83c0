"""Learning-rate tables, epoch by epoch, against the official codes and the reference's numbers."""

import inspect
import math
from bisect import bisect_right

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from lt_lightning import recipes
from lt_lightning.errors import UserError
from lt_lightning.recipes import (
    BBNRecipe,
    BoTRecipe,
    CosineRecipe,
    LDAMRecipe,
    MiSLASRecipe,
    WarmupSteps,
)
from lt_lightning.schedule import Schedule

LR = 0.1
RECIPES = [LDAMRecipe(), MiSLASRecipe(), BBNRecipe(), BoTRecipe(), CosineRecipe(), WarmupSteps()]
# 1-based epoch -> learning rate in a run of 200 epochs from 0.1.
GOLDEN = {
    LDAMRecipe: {
        **{1: 0.02, 2: 0.04, 3: 0.06, 4: 0.08, 5: 0.1, 6: 0.1},
        **{160: 0.1, 161: 1e-3, 180: 1e-3, 181: 1e-5, 200: 1e-5},
    },
    MiSLASRecipe: {1: 0.02, 5: 0.1, 160: 0.1, 161: 0.01, 180: 0.01, 181: 1e-3, 200: 1e-3},
    BoTRecipe: {
        **{1: 0.0467, 2: 0.06, 3: 0.0733, 4: 0.0867, 5: 0.1},
        **{159: 0.1, 160: 1e-3, 179: 1e-3, 180: 1e-5, 200: 1e-5},
    },
    BBNRecipe: {
        **{1: 0.0467, 2: 0.06, 3: 0.0733, 4: 0.0867, 5: 0.1},
        **{119: 0.1, 120: 1e-3, 159: 1e-3, 160: 1e-5, 200: 1e-5},
    },
    CosineRecipe: {1: 0.1, 51: 0.0853553, 101: 0.05, 151: 0.0146447, 200: 6.1685e-6},
    WarmupSteps: {1: 0.02, 5: 0.1, 160: 0.1, 161: 1e-3, 181: 1e-5},
}


def ldam(epoch, factors=(0.01, 0.0001)):
    """adjust_learning_rate of LDAM-DRW; `epoch` is 0-based there and counted up first."""
    epoch = epoch + 1
    if epoch <= 5:
        return LR * epoch / 5
    if epoch > 180:
        return LR * factors[1]
    return LR * factors[0] if epoch > 160 else LR


def warmup_multi_step(epoch, milestones):
    """WarmupMultiStepLR of BBN and Bag of Tricks, stepped at the start of its 1-based epochs."""
    last_epoch, warmup = epoch + 1, 1.0
    if last_epoch < 5:
        alpha = last_epoch / 5
        warmup = 1 / 3 * (1 - alpha) + alpha
    return LR * warmup * 0.01 ** bisect_right(milestones, last_epoch)


OFFICIAL = {
    LDAMRecipe: ldam,
    MiSLASRecipe: lambda epoch: ldam(epoch, (0.1, 0.01)),
    BBNRecipe: lambda epoch: warmup_multi_step(epoch, [120, 160]),
    BoTRecipe: lambda epoch: warmup_multi_step(epoch, [160, 180]),
    CosineRecipe: lambda epoch: LR * (1 + math.cos(math.pi * epoch / 200)) / 2,
    WarmupSteps: ldam,
}


def name(value):
    return type(value).__name__


def rates(recipe, epochs):
    """Return the learning rate of every epoch as the optimizer has it."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler, found = LambdaLR(optimizer, lambda epoch: recipe(epoch, epochs)), []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_every_recipe_of_the_module_is_tested():
    public = {
        cls
        for _, cls in inspect.getmembers(recipes, inspect.isclass)
        if issubclass(cls, Schedule) and cls.__module__ == recipes.__name__
    }
    assert public == {type(recipe) for recipe in RECIPES} == set(GOLDEN) == set(OFFICIAL)


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_named_epochs_have_the_published_learning_rates(recipe):
    found, wanted = rates(recipe, 200), GOLDEN[type(recipe)]
    assert {epoch: found[epoch - 1] for epoch in wanted} == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_every_epoch_has_the_learning_rate_of_the_official_code(recipe):
    official = OFFICIAL[type(recipe)]
    assert rates(recipe, 200) == pytest.approx([official(epoch) for epoch in range(200)], rel=1e-9)


def drops(recipe, epochs):
    """Return the 0-based epochs whose factor is a tenth of the one before, or less."""
    values = [recipe(epoch, epochs) for epoch in range(epochs)]
    return [epoch for epoch in range(1, epochs) if values[epoch] <= 0.101 * values[epoch - 1]]


@pytest.mark.parametrize(
    ("recipe", "of_200", "of_30"),
    [
        (LDAMRecipe(), [160, 180], [24, 27]),
        (MiSLASRecipe(), [160, 180], [24, 27]),
        (BBNRecipe(), [119, 159], [17, 23]),
        (BoTRecipe(), [159, 179], [23, 26]),
    ],
    ids=name,
)
def test_shorter_run_drops_at_the_same_fractions(recipe, of_200, of_30):
    assert drops(recipe, 200) == of_200
    assert drops(recipe, 30) == of_30


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
@pytest.mark.parametrize("epochs", [1, 2, 3, 4])
def test_first_epoch_of_a_very_short_run_learns(recipe, epochs):
    assert recipe(0, epochs) >= 0.2
    assert all(0 < recipe(epoch, epochs) <= 1 for epoch in range(epochs))


@pytest.mark.parametrize("warmup", [0, 1, 3, 10])
def test_warm_up_is_a_line_that_ends_at_the_base_rate(warmup):
    for kind, start in ((LDAMRecipe, 0.0), (BBNRecipe, 1 / 3), (CosineRecipe, 0.0)):
        recipe = kind(warmup_epochs=warmup)
        values = [recipe(epoch, 100) for epoch in range(warmup)]
        line = [start + (1 - start) * e / warmup for e in range(1, warmup + 1)]
        assert values == pytest.approx(line)
        assert recipe(warmup, 100) == 1.0


def test_cosine_after_a_warm_up_spans_the_rest_of_the_run():
    recipe = CosineRecipe(warmup_epochs=10)
    assert [recipe(e, 110) for e in (9, 10, 60)] == pytest.approx([1.0, 1.0, 0.5])
    assert recipe(109, 110) == pytest.approx((1 + math.cos(0.99 * math.pi)) / 2)


def test_own_steps_are_followed():
    recipe = WarmupSteps(warmup_epochs=0, milestones=[0.5], factors=[0.25])
    assert [recipe(epoch, 4) for epoch in range(4)] == [1.0, 1.0, 0.25, 0.25]
    assert {WarmupSteps(milestones=[], factors=[])(epoch, 50) for epoch in range(5, 50)} == {1.0}


@pytest.mark.parametrize("milestones", [[0.9, 0.8], [0.0, 0.5], [0.5, 1.0], [160, 180], [math.nan]])
def test_milestones_that_are_no_ascending_fractions_are_refused(milestones):
    with pytest.raises(UserError, match=r"milestones is \[.*ascending fractions"):
        WarmupSteps(milestones=milestones, factors=[0.1] * len(milestones))


def test_a_factor_for_each_milestone_is_asked_for():
    with pytest.raises(UserError, match="2 milestones and 1 factors"):
        WarmupSteps(milestones=[0.5, 0.6], factors=[0.1])


@pytest.mark.parametrize("kind", GOLDEN)
def test_negative_warm_up_is_refused(kind):
    with pytest.raises(UserError, match="warmup_epochs is -1"):
        kind(warmup_epochs=-1)
