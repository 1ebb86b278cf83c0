"""What holds for every method that trains without labels."""

import pytest
import torch

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
