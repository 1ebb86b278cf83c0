"""What an image costs, against numbers worked out by hand."""

import pytest
import torch

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.engine.multiply_adds import multiply_adds
from lt_lightning.methods import ERM

IMAGE = torch.zeros(1, 3, 32, 32)
# Of the CIFAR ResNet-32: the stem, then 10 convolutions of 3 x 3 in each stage, the first of the
# last two from half the channels, at 32, 16 and 8 pixels a side; the classifier.
STEM = 9 * 3 * 16 * 32**2
STAGES = [
    10 * 9 * 16 * 16 * 32**2,
    (9 * 16 * 32 + 9 * 9 * 32 * 32) * 16**2,
    (9 * 32 * 64 + 9 * 9 * 64 * 64) * 8**2,
]
BY_HAND = STEM + sum(STAGES) + 64 * 10


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_resnet_32_has_69_million(compiled):
    model = ERM(class_counts=[9] * 10, backbone=lambda: ResNetCIFAR(32), compile=compiled).eval()
    assert multiply_adds(model, IMAGE) == BY_HAND == 68_862_592


def test_weights_of_another_precision_take_the_image():
    model = ERM(class_counts=[9] * 10, backbone=lambda: ResNetCIFAR(8)).eval().bfloat16()
    assert 0 < multiply_adds(model, IMAGE) < BY_HAND
