"""The learning rate of a run that goes on with another number of epochs."""

import pytest
import torch

from lt_lightning.engine.epoch_rate import EpochRate
from lt_lightning.recipes import CosineRecipe, LDAMRecipe


def two_groups():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in (0.1, 0.001)]
    return torch.optim.SGD(groups, lr=1.0)


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def after(epochs, schedule, length):
    optimizer = two_groups()
    scheduler = EpochRate(optimizer, schedule, length)
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
    return optimizer, scheduler


@pytest.mark.parametrize("schedule", [LDAMRecipe(warmup_epochs=0), CosineRecipe()])
def test_a_longer_run_begins_with_the_rate_of_its_own_schedule(schedule):
    """Trap: the checkpoint holds the rates at the end of the shorter run, 0 after a cosine."""
    old, old_scheduler = after(10, schedule, 10)
    optimizer, scheduler = after(0, schedule, 40)
    optimizer.load_state_dict(old.state_dict())
    scheduler.load_state_dict(old_scheduler.state_dict())
    expected = [base * schedule(10, 40) for base in (0.1, 0.001)]
    assert rates(optimizer) == scheduler.get_last_lr() == expected
    assert expected[0] > 10 * rates(old)[0]
    for _ in range(5):
        optimizer.step()
        scheduler.step()
    assert rates(optimizer) == [base * schedule(15, 40) for base in (0.1, 0.001)]


def test_the_same_run_goes_on_with_the_same_bits():
    schedule = CosineRecipe(warmup_epochs=3)
    old, old_scheduler = after(7, schedule, 10)
    optimizer, scheduler = after(0, schedule, 10)
    optimizer.load_state_dict(old.state_dict())
    scheduler.load_state_dict(old_scheduler.state_dict())
    assert rates(optimizer) == rates(old)
    assert scheduler.state_dict() == old_scheduler.state_dict()
