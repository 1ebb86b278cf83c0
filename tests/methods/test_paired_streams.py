"""Streams whose images a method takes together, and epochs of other lengths."""

import pytest

from lt_lightning.errors import UserError
from lt_lightning.methods import BBN, CMO
from lt_lightning.samplers import InstanceBalanced, OverSampling

SHORT = {"epochs": 1, "limit_val_batches": 0}
EVERY = {"model": {"plain_first": 0, "plain_last": 0, "probability": 1.0}}


def streams(method, longer):
    return {
        name: OverSampling() if name == longer else InstanceBalanced() for name in method.streams
    }


@pytest.mark.parametrize(
    ("method", "longer", "more"),
    [(BBN, "reversed", {}), (BBN, "uniform", {}), (CMO, "background", EVERY)],
)
def test_last_batches_that_do_not_pair_up_are_refused(lab, method, longer, more):
    """Trap: torch said at the end of the first epoch that sizes must match."""
    options = {"samplers": streams(method, longer), "batch_size": 8}
    data = lab.data(method, **options)
    with pytest.raises(UserError, match=r"60 .*--data.drop_last true.*--data.epoch_length") as told:
        lab.fit(method, data=data, **more, **SHORT)
    assert len(str(told.value).splitlines()) == 1
    assert method.__name__ in str(told.value)
    lab.fit(method, data=lab.data(method, drop_last=True, **options), **more, **SHORT)
    lab.fit(method, data=lab.data(method, epoch_length=30, **options), **more, **SHORT)
    lab.fit(method, data=data, **more, **SHORT, limit_train_batches=3)  # those are full


def test_more_foregrounds_than_backgrounds_are_taken(lab):
    data = lab.data(CMO, samplers=streams(CMO, "foreground"))
    lab.fit(CMO, data=data, **EVERY, **SHORT)
