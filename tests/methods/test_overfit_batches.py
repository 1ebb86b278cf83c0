"""`trainer.overfit_batches`: can a network learn one batch?"""

import pytest
import torch
from lightning.pytorch import Callback

from lt_lightning.augment import RandomCropFlip
from lt_lightning.methods import BBN, ERM

# Lightning says that it turns shuffling off: it does so in loaders of torch alone.
pytestmark = pytest.mark.filterwarnings("ignore:You requested to overfit")


class Seen(Callback):
    def __init__(self):
        self.sums = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        streams = batch.values() if isinstance(batch, dict) else [batch]
        self.sums.append([float(images.double().sum()) for images, _ in streams])


@pytest.mark.parametrize("method", [ERM, BBN])
def test_every_epoch_has_the_same_batches(lab, method):
    """Trap: the option limited the number of batches, and other images came in each epoch."""
    seen, other = Seen(), Seen()
    data = {"augment": RandomCropFlip()}
    lab.fit(method, seen, data=lab.data(method, **data), epochs=3, overfit_batches=2)
    first, second = seen.sums[:2]
    assert first != second
    assert seen.sums == [first, second] * 3
    lab.fit(method, other, data=lab.data(method, **data), epochs=3, limit_train_batches=2)
    assert other.sums[:2] == seen.sums[:2]
    assert other.sums[2:4] != seen.sums[:2]


def test_one_batch_is_learned(lab):
    losses = lab.fit(ERM, epochs=25, overfit_batches=1, limit_val_batches=0).watch.losses
    assert torch.tensor(losses[-3:]).mean() < 0.5 * losses[0]
