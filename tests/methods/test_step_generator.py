"""The random choices of a training step depend on seed, epoch and batch alone."""

import lightning as L
import torch

from lt_lightning.augment import rand
from lt_lightning.methods import ERM


class Draws(L.Callback):
    """Notes one number of the generator of each step."""

    def __init__(self):
        self.drawn = {}

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        number = torch.rand((), generator=module.step_generator(batch_idx)).item()
        assert number == torch.rand((), generator=module.step_generator(batch_idx)).item()
        self.drawn[trainer.current_epoch, batch_idx] = number


def _drawn(lab, **options):
    draws = Draws()
    lab.fit(ERM, draws, limit_train_batches=3, limit_val_batches=0, **options)
    return draws.drawn


def test_every_step_of_a_run_draws_its_own_numbers(lab):
    drawn = _drawn(lab, epochs=3)
    assert len(drawn) == 9
    assert len(set(drawn.values())) == 9


def test_same_seed_draws_the_same_and_another_seed_others(lab, monkeypatch):
    first = _drawn(lab, epochs=2)
    assert _drawn(lab, epochs=2) == first
    monkeypatch.setenv("PL_GLOBAL_SEED", "1")
    assert not set(_drawn(lab, epochs=2).values()) & set(first.values())


def test_processes_draw_what_one_draws_for_all(lab, monkeypatch):
    module = lab.fit(ERM, epochs=1, limit_train_batches=1).module
    one = torch.rand((), generator=module.step_generator(0))
    whole = rand(6, 2, generator=module.step_generator(0, 6))
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    for rank in range(3):
        monkeypatch.setattr("torch.distributed.get_rank", lambda rank=rank: rank)
        assert torch.rand((), generator=module.step_generator(0)) == one
        assert torch.equal(rand(2, 2, generator=module.step_generator(0, 2)), whole[rank::3])
