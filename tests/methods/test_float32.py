"""Evaluation in float32 within a training in another precision leaves the training as it was."""

import pytest
import torch
from lightning.pytorch import Callback

from lt_lightning.methods import ERM

STEPS, EPOCHS = 2, 2


class Hears(Callback):
    """Counts the gradients that come through the weights as they were at the start, as DDP does.

    Attributes:
        nodes: of the graph, one of each weight.
        heard: how often one had a gradient.
        types: of the weights while they were validated.
    """

    def __init__(self):
        self.nodes, self.heard, self.types = [], 0, set()

    def on_train_start(self, trainer, pl_module):
        self.weights = [w for w in pl_module.parameters() if w.requires_grad]
        self.nodes = [w.expand_as(w).grad_fn.next_functions[0][0] for w in self.weights]
        for node in self.nodes:
            node.register_hook(self._count)

    def _count(self, *_):
        self.heard += 1

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self.types |= {weight.dtype for weight in pl_module.parameters()}

    def on_train_end(self, trainer, pl_module):
        left = [weight for weight in pl_module.parameters() if weight.requires_grad]
        assert all(a is b for a, b in zip(left, self.weights, strict=True))


@pytest.mark.parametrize("precision", ["64-true", "bf16-true"])
def test_gradients_still_come_by_the_way_on_which_others_wait_for_them(lab, precision):
    """Trap: the weights were of another type for a while, and autograd then forgot who listens.

    Two processes of DDP trained on their own after the first validation.
    """
    hears = Hears()
    lab.fit(ERM, hears, epochs=EPOCHS, precision=precision, limit_train_batches=STEPS)
    assert hears.types == {torch.float32}
    assert hears.heard == STEPS * EPOCHS * len(hears.nodes)


def test_weights_that_an_evaluation_changes_stay_changed(lab):
    class Moves(Callback):
        def on_validation_batch_end(self, trainer, pl_module, *_):
            with torch.no_grad():
                pl_module.head.bias.fill_(3.0)
                self.before = pl_module.head.weight.clone()

    moves = Moves()
    found = lab.fit(ERM, moves, epochs=1, precision="bf16-true", limit_train_batches=STEPS)
    assert found.module.head.bias.tolist() == [3.0] * len(found.module.head.bias)
    assert found.module.head.bias.dtype is torch.bfloat16
    assert torch.equal(found.module.head.weight.float(), moves.before)
