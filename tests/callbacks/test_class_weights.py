"""The class weights of the loss, logged by group."""

import pytest
import torch

from lt_lightning.callbacks.class_weights import ClassWeights
from lt_lightning.losses import CrossEntropy, EffectiveNumber
from lt_lightning.methods import ERM

COUNTS = [300, 120, 6]


def test_weights_are_logged_by_group_from_the_epoch_they_change(make_trainer, module, data):
    weights, logged = torch.ones(3), []
    module.class_weights = lambda: weights

    def defer():  # as DRW does, at the start of the second epoch
        if module.current_epoch == 1:
            weights.copy_(torch.tensor([0.25, 0.75, 2.0]))

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


@pytest.mark.parametrize("deferred", [None, EffectiveNumber()])
def test_weights_of_one_are_told_only_where_they_will_change(deferred):
    module = ERM(class_counts=COUNTS, deferred_weights=deferred)
    assert (module.class_weights() is None) == (deferred is None)
    module = ERM(class_counts=COUNTS, loss=lambda n: CrossEntropy(n, weights=EffectiveNumber()))
    assert torch.equal(module.class_weights(), module.loss.weight)


def test_a_loss_of_torch_has_no_such_weights():
    module = ERM(class_counts=COUNTS)
    module.loss = torch.nn.CrossEntropyLoss()
    assert module.class_weights() is None


def test_a_loss_without_weights_logs_nothing(make_trainer, module, data):
    trainer = make_trainer(ClassWeights(), max_epochs=1)
    trainer.fit(module, datamodule=data)
    assert not [name for name in trainer.callback_metrics if name.startswith("weight")]
