"""What holds for every method that trains without labels."""

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging

from lt_lightning import methods
from lt_lightning.callbacks import LastCheckpoint
from lt_lightning.engine.self_supervised import TAKEN_AT
from lt_lightning.errors import UserError

SHORT = {"epochs": 1, "limit_train_batches": 3, "limit_val_batches": 0}


def _weights(module):
    return {k: v for k, v in module.state_dict().items() if not k.startswith("head.")}


def test_labels_play_no_part_in_training(lab, without_labels, monkeypatch):
    first = lab.fit(without_labels, **SHORT).module

    def shuffled(self, batch, batch_idx, own=without_labels.training_step):
        several = isinstance(batch, dict)
        streams = batch if several else {"": batch}
        flipped = {name: (images, y.flip(0)) for name, (images, y) in streams.items()}
        return own(self, flipped if several else flipped[""], batch_idx)

    monkeypatch.setattr(without_labels, "training_step", shuffled)
    second = lab.fit(without_labels, **SHORT).module
    for name, value in _weights(first).items():
        assert torch.equal(value, _weights(second)[name]), name


def test_shuffled_class_labels_change_nothing_but_the_means(lab, without_labels):
    data = lab.data(without_labels)
    first = lab.fit(without_labels, data=data, **SHORT).module
    other = lab.data(without_labels)
    other.setup("fit")
    other._splits["train"].labels.copy_(other._splits["train"].labels.flip(0))
    second = lab.fit(without_labels, data=other, **SHORT).module
    for name, value in _weights(first).items():
        assert torch.equal(value, _weights(second)[name]), name
    assert not torch.equal(first.head.centroids, second.head.centroids)


def test_means_are_taken_after_the_last_epoch_also_without_validation(lab, without_labels):
    module = lab.fit(without_labels, **SHORT).module
    assert bool((module.head.centroids.norm(dim=1) > 0).all())


def test_there_is_neither_head_nor_loss_to_choose(lab, without_labels):
    for option in ("head", "loss"):
        with pytest.raises(TypeError, match=option):
            lab.module(without_labels, **{option: None})


class Stops(L.Callback):
    """Ends the training behind the first epoch, as EarlyStopping does."""

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = True


class StopsEarly(L.Callback):
    """Asks for an end behind a batch whose gradients are not used yet, which puts it off."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        trainer.should_stop = trainer.should_stop or batch_idx == 0


ENDS = {
    "max_steps": ([], {"max_steps": 3}),
    "early": ([Stops()], {}),
    "in_mid_epoch": ([], {"max_steps": 2}),
    "put off": ([StopsEarly()], {"accumulate_grad_batches": 2, "min_epochs": 0}),
}


@pytest.mark.parametrize("how", ENDS)
def test_means_are_those_of_the_weights_wherever_the_training_ends(lab, tmp_path, how):
    """Trap: only the planned last epoch took them, and lt predict said class 0 of every image."""
    callbacks, ends = ENDS[how]
    short = {"epochs": 5, "limit_train_batches": 3, "limit_val_batches": 0}
    more = {**short, **ends, "enable_checkpointing": True}
    fitted = lab.fit(methods.RotationSSP, *callbacks, LastCheckpoint(tmp_path), **more)
    assert fitted.trainer.global_step < 15
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    centroids = saved["state_dict"]["head.centroids"]
    fitted.module.check_predicts(saved, "last.ckpt")
    fitted.trainer.test(fitted.module, datamodule=fitted.data, verbose=False)
    assert torch.allclose(centroids, fitted.module.head.centroids, atol=1e-6)


def test_an_average_of_weights_is_refused(lab):
    """Trap: a checkpoint held averaged weights, and class means of those that were trained."""
    average = EMAWeightAveraging()
    with pytest.raises(UserError, match="EMAWeightAveraging would keep other weights than those"):
        lab.fit(methods.RotationSSP, average, epochs=1, limit_train_batches=3)


def test_a_checkpoint_of_a_cut_training_does_not_predict(lab, tmp_path):
    class Cut(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step in (1, 4):
                trainer.save_checkpoint(tmp_path / f"{trainer.global_step}.ckpt")

    short = {"epochs": 2, "limit_train_batches": 3}  # 4 is behind a validation, which took means
    module = lab.fit(methods.RotationSSP, Cut(), **short).module
    for step in (1, 4):
        saved = torch.load(tmp_path / f"{step}.ckpt", weights_only=True)
        with pytest.raises(UserError, match=rf"{step}.ckpt is of .* --ckpt_path last"):
            module.check_predicts(saved, f"{step}.ckpt")
        saved.pop(TAKEN_AT)  # as of an earlier version
        if step == 1:
            with pytest.raises(UserError, match="cut"):
                module.check_predicts(saved, "1.ckpt")
        else:
            module.check_predicts(saved, "4.ckpt")
