"""No callback cuts a training between the batches whose gradients make one step together."""

from types import SimpleNamespace

import pytest

from lt_lightning.callbacks.requeue import Requeue
from lt_lightning.callbacks.stop import StopBetweenSteps
from lt_lightning.mid_epoch import LOOK_EVERY, may_agree

BATCHES = 47


@pytest.fixture(params=[StopBetweenSteps, Requeue])
def looks(request, tmp_path, monkeypatch):
    """Return a function that gives the batches of an epoch, from 1 on, behind which one looks."""
    monkeypatch.setattr("lt_lightning.runs.warning.is_taken", lambda: True)
    callback, seen = request.param(tmp_path), []
    monkeypatch.setattr(callback, "_answer", lambda *_: seen.append(True))

    def look(processes, accumulated, first=0):
        found = []
        for place in range(first, BATCHES):
            trainer = SimpleNamespace(
                is_last_batch=place == BATCHES - 1,
                accumulate_grad_batches=accumulated,
                world_size=processes,
                global_step=(place + 1) // accumulated,
            )
            seen.clear()
            callback.on_train_batch_end(trainer, None, None, None, place)
            found += [place + 1] * len(seen)
        return found

    return look


@pytest.mark.parametrize("accumulated", [1, 2, 3, 4])
def test_one_process_looks_behind_every_step(looks, accumulated):
    whole = range(accumulated, BATCHES, accumulated)
    assert looks(1, accumulated) == list(whole)


@pytest.mark.parametrize("accumulated", [1, 2, 3, 4])
def test_several_look_behind_steps_that_are_the_same_for_all(looks, accumulated):
    """Trap: they looked behind each fifth batch, the middle of a step of three."""
    between = LOOK_EVERY * accumulated
    found = looks(2, accumulated)
    assert found == list(range(between, BATCHES, between))
    assert looks(2, accumulated, first=found[0] - 1) == found  # a run that goes on is no other


def test_the_last_batch_makes_a_step_in_any_case():
    last = SimpleNamespace(is_last_batch=True, accumulate_grad_batches=4, world_size=1)
    assert may_agree(last, 0)
