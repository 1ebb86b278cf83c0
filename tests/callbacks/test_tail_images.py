"""Which test images of the rare classes are kept, and what is said of them."""

import numpy as np
import torch

from lt_lightning.wandb_.tail_images import TailImages


def taken(counts, targets, logits, mean=(0.5,), std=(0.25,)):
    tail = TailImages(torch.tensor(counts), [f"c{k}" for k in range(len(counts))], mean, std)
    targets = torch.tensor(targets)
    images = torch.arange(len(targets)).view(-1, 1, 1, 1).expand(-1, 1, 2, 3) / 10
    tail.take(images, targets, logits)
    return tail


def test_four_images_of_the_eight_rarest_classes_the_rarest_first():
    counts = [100, 90, 80, 70, 60, 50, 40, 30, 20, 0]
    targets = [k for _ in range(6) for k in range(10)]
    tail = taken(counts, targets, torch.zeros(60, 10))
    found = [image.target for image in tail.found]
    assert found == [k for k in (8, 7, 6, 5, 4, 3, 2, 1) for _ in range(4)]  # 9 was never trained


def test_pixels_are_those_before_the_transform():
    tail = taken([3, 5], [0, 0, 1], torch.zeros(3, 2))
    shades = [int(image.pixels[0, 0, 0]) for image in tail.found]
    assert shades == [round(255 * (0.5 + 0.25 * value)) for value in (0.0, 0.1, 0.2)]
    assert all(image.pixels.shape == (2, 3, 1) for image in tail.found)
    assert all(image.pixels.dtype == np.uint8 for image in tail.found)


def test_the_caption_names_class_verdict_and_chance():
    logits = torch.tensor([[0.0, 0.0], [0.0, 3.0]]).log_softmax(1)
    logits[0] = torch.tensor([0.9, 0.1]).log()
    captions = [image.caption for image in taken([3, 5], [0, 0], logits).found]
    assert captions[0] == "c0 (3 training images): right, p 0.90"
    assert captions[1] == "c0 (3 training images): taken for c1, p 0.95"


def test_no_more_is_looked_at_than_is_kept():
    tail = taken([3], [0] * 4, torch.zeros(4, 1))
    tail.take(torch.zeros(0), torch.tensor([0, 0]), torch.zeros(0))  # would fail if it were read
    assert len(tail.found) == 4
