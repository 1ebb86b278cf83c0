"""Rotations, their labels, and what a run without labels reports."""

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead
from lt_lightning.methods import RotationSSP
from lt_lightning.methods.rotation_ssp import draw_turns, rotate
from lt_lightning.post_hoc import TauNormalization

SHORT = {"epochs": 1, "limit_train_batches": 2}


def test_each_image_is_rotated_as_by_rot90():
    images = torch.randn(9, 3, 6, 6)
    turns = torch.tensor([3, 0, 1, 2, 2, 1, 0, 3, 1])
    found = rotate(images.contiguous(memory_format=torch.channels_last), turns)
    for image, turn, one in zip(images, turns.tolist(), found, strict=True):
        assert torch.equal(one, torch.rot90(image, turn, (1, 2)))


@pytest.mark.parametrize(("count", "each"), [(128, {32}), (30, {7, 8}), (3, {0, 1})])
def test_turns_are_balanced_in_a_batch_and_in_random_order(count, each):
    drawn = [draw_turns(count, torch.Generator().manual_seed(seed)) for seed in range(3)]
    for turns in drawn:
        assert set(torch.bincount(turns, minlength=4).tolist()) == each
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[0], draw_turns(count, torch.Generator().manual_seed(0)))


def test_each_place_of_a_batch_is_rotated_in_every_way():
    drawn = torch.stack([draw_turns(8, torch.Generator().manual_seed(s)) for s in range(800)])
    counts = torch.stack([torch.bincount(place, minlength=4) for place in drawn.T])
    assert int(counts.min()) > 140  # of 800, 200 are expected
    assert int(counts.max()) < 260


def test_images_that_are_not_square_are_refused():
    with pytest.raises(UserError, match="have 4x6 pixels: rotations need square ones"):
        rotate(torch.zeros(2, 3, 4, 6), torch.zeros(2, dtype=torch.int64))


def test_rotation_accuracy_is_that_of_all_four_rotations(lab):
    fitted = lab.fit(RotationSSP, **SHORT)
    (found,) = fitted.trainer.test(fitted.module, datamodule=fitted.data, verbose=False)
    right, losses = [], []
    fitted.module.eval()
    with torch.no_grad():
        for images, _ in fitted.data.eval_loader("test"):
            for image in images:
                for turn in range(4):
                    logits = fitted.module.rotation_logits(image.rot90(turn, (1, 2))[None])[0]
                    right.append(int(logits.argmax()) == turn)
                    losses.append(float(-logits.double().log_softmax(0)[turn]))
    assert found["test/rotation_acc"] == pytest.approx(sum(right) / len(right), abs=1e-6)
    assert found["test/rotation_nll"] == pytest.approx(sum(losses) / len(losses), abs=1e-4)


def test_classes_are_those_of_the_nearest_mean_of_the_training_features(lab, images):
    fitted = lab.fit(RotationSSP, **SHORT)
    loader = fitted.data.whole("train")
    fitted.module.eval()
    with torch.no_grad():
        features = torch.cat([fitted.module.features(x) for x, _ in loader])
        head = NearestMeanHead(features, loader.images.labels, 5, temperature=10.0)
        wanted = head(fitted.module.features(images))
        torch.testing.assert_close(fitted.module.predict_logits(images), wanted)


def test_it_has_no_classifier_to_change(lab):
    fitted = lab.fit(RotationSSP, **SHORT)
    with pytest.raises(UserError, match="run has NearestMeanHead"):
        TauNormalization(tau=1.0).apply(fitted.module, fitted.data)
