"""The class weights of the loss, logged by group."""

import pytest
import torch
from torch import nn

from lt_lightning.callbacks.class_weights import ClassWeights, class_weights


class Loss(nn.Module):
    def __init__(self, *weights):
        super().__init__()
        self.register_buffer("weight", torch.tensor(weights))


def test_weights_are_logged_by_group_from_the_epoch_they_change(make_trainer, module, data):
    module.loss = Loss(1.0, 1.0, 1.0)
    module.deferred_weights = object()
    logged = []

    def defer():  # as DRW does, at the start of the second epoch
        if module.current_epoch == 1:
            module.loss.weight.copy_(torch.tensor([0.25, 0.75, 2.0]))

    module.on_train_epoch_start = defer
    trainer = make_trainer(ClassWeights(), max_epochs=2)
    module.on_train_epoch_end = lambda: logged.append(
        {k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("weight/")}
    )
    trainer.fit(module, datamodule=data)
    assert logged == [
        {"weight/many": 1.0, "weight/few": 1.0},
        {"weight/many": 0.5, "weight/few": 2.0},
    ]


@pytest.mark.parametrize("deferred", [None, object()])
def test_weights_of_one_are_told_only_where_they_will_change(module, deferred):
    module.loss, module.deferred_weights = Loss(1.0, 1.0, 1.0), deferred
    assert (class_weights(module) is None) == (deferred is None)


def test_a_loss_without_weights_logs_nothing(make_trainer, module, data):
    trainer = make_trainer(ClassWeights(), max_epochs=1)
    trainer.fit(module, datamodule=data)
    assert not [name for name in trainer.callback_metrics if name.startswith("weight")]
