"""The networks of the CIFAR tables: sizes, layout of the blocks, start values."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lt_lightning.backbones import BilateralResNetCIFAR, ResNetCIFAR
from lt_lightning.backbones.resnet_cifar import BasicBlock
from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead, LinearHead

KINDS = [ResNetCIFAR, BilateralResNetCIFAR]


def size(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def by_hand(depth, width):
    """Weights of the convolutions and batch norms, counted from the description in the paper."""
    total, channels = 3 * width * 9 + 2 * width, width
    for stage in range(3):
        out = width * 2**stage
        for _ in range((depth - 2) // 6):
            total += channels * out * 9 + 2 * out + out * out * 9 + 2 * out
            channels = out
    return total


def test_resnet32_has_the_published_number_of_parameters():
    backbone = ResNetCIFAR(32)
    assert backbone.out_features == 64
    assert size(backbone, LinearHead(64, 10)) == 464_154
    assert size(backbone, LinearHead(64, 100)) == 470_004
    assert size(backbone, CosineHead(64, 10)) == 464_144
    assert size(backbone, CosineHead(64, 100)) == 469_904


def test_bilateral_resnet32_has_one_block_more_and_twice_the_features():
    backbone, block = BilateralResNetCIFAR(32), 2 * 64 * 64 * 9 + 2 * 2 * 64
    assert backbone.out_features == 128
    assert size(backbone) == 464_154 - 650 + block == 537_488
    assert size(backbone, LinearHead(128, 10)) == 538_778
    assert size(backbone, LinearHead(128, 100)) == 550_388


@pytest.mark.parametrize(("depth", "width"), [(8, 16), (20, 16), (56, 16), (8, 24), (14, 5)])
def test_other_depths_and_widths_have_the_parameters_of_the_paper(depth, width):
    assert size(ResNetCIFAR(depth, width)) == by_hand(depth, width)
    last_in = 2 * width if depth == 8 else 4 * width
    block = (last_in + 4 * width) * 4 * width * 9 + 16 * width
    assert size(BilateralResNetCIFAR(depth, width)) == by_hand(depth, width) + block


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("depth", "width"), [(8, 16), (14, 5), (8, 24)])
def test_features_have_the_announced_width_and_are_not_negative(kind, depth, width):
    backbone = kind(depth, width).eval()
    for side in (32, 64, 33):
        features = backbone(torch.randn(3, 3, side, side))
        assert features.shape == (3, backbone.out_features)
        assert features.min() >= 0
    assert backbone(torch.randn(0, 3, 32, 32)).shape == (0, backbone.out_features)


def test_stages_have_32_16_and_8_pixels_and_are_averaged():
    backbone = ResNetCIFAR(8).eval()
    images, shapes = torch.randn(1, 3, 32, 32), []
    maps = backbone.stem(images)
    for stage in (backbone.layer1, backbone.layer2, backbone.layer3):
        maps = stage(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    torch.testing.assert_close(backbone(images), maps.sum(dim=(2, 3)) / 64)


@pytest.mark.parametrize(("channels_in", "channels"), [(16, 32), (24, 48), (5, 10), (3, 6)])
def test_shortcut_takes_every_second_pixel_and_adds_channels_on_both_sides(channels_in, channels):
    block = BasicBlock(channels_in, channels, 2).eval()
    nn.init.zeros_(block.conv2.weight)  # only the shortcut is left
    x = torch.rand(2, channels_in, 6, 6)
    found, left = block(x), (channels - channels_in) // 2
    for c in range(channels):
        inside = left <= c < left + channels_in
        wanted = x[:, c - left, ::2, ::2] if inside else torch.zeros(2, 3, 3)
        assert torch.equal(found[:, c], wanted)


def test_block_without_a_change_of_shape_adds_its_input():
    block = BasicBlock(4, 4).train()
    x = torch.randn(2, 4, 5, 5)
    inner = F.conv2d(x, block.conv1.weight, padding=1)
    inner = F.batch_norm(inner, None, None, training=True).relu()
    inner = F.conv2d(inner, block.conv2.weight, padding=1)
    wanted = (F.batch_norm(inner, None, None, training=True) + x).relu()
    torch.testing.assert_close(block(x), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_last_gives_the_same_numbers(kind):
    torch.manual_seed(0)
    backbone, images = kind(8).double(), torch.randn(4, 3, 32, 32, dtype=torch.float64)
    want = backbone(images)
    backbone.to(memory_format=torch.channels_last)
    found = backbone(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_convolutions_start_from_n_zero_two_over_fan_in(kind):
    torch.manual_seed(0)
    seen = 0
    for part in kind(20).modules():
        if isinstance(part, nn.Conv2d):
            assert part.bias is None
            weight = part.weight.detach()
            fan_in, count = part.in_channels * 9, weight.numel()
            want = math.sqrt(2 / fan_in)
            assert float(weight.std()) == pytest.approx(want, rel=4 / math.sqrt(count))
            assert abs(float(weight.mean())) < 4 * want / math.sqrt(count)
            assert float(weight.abs().max()) > 1.8 * want, "not uniform: that ends at 1.73"
            seen += 1
        elif isinstance(part, nn.BatchNorm2d):
            assert part.weight.eq(1).all()
            assert part.bias.eq(0).all()
    assert seen == (19 if kind is ResNetCIFAR else 21)


def test_branches_share_the_trunk_and_not_the_last_block():
    backbone = BilateralResNetCIFAR(20)
    maps = backbone.shared(torch.randn(4, 3, 32, 32))
    assert maps.shape == (4, 64, 8, 8)
    for branch, own, other in (
        (backbone.conventional, backbone.block_conventional, backbone.block_rebalancing),
        (backbone.rebalancing, backbone.block_rebalancing, backbone.block_conventional),
    ):
        backbone.zero_grad()
        branch(backbone.shared(torch.randn(4, 3, 32, 32))).sum().backward()
        assert all(p.grad is not None for p in own.parameters())
        assert all(p.grad is None for p in other.parameters())
        trunk = set(backbone.parameters()) - set(own.parameters()) - set(other.parameters())
        assert all(p.grad is not None for p in trunk)
    weights = [b.conv1.weight for b in (backbone.block_conventional, backbone.block_rebalancing)]
    assert not torch.equal(*weights)


def test_branches_keep_batch_statistics_of_their_own():
    backbone = BilateralResNetCIFAR(8).train()
    backbone.conventional(backbone.shared(torch.randn(4, 3, 32, 32)))
    assert int(backbone.block_conventional.bn1.num_batches_tracked) == 1
    assert int(backbone.block_rebalancing.bn1.num_batches_tracked) == 0


def test_features_of_both_branches_stand_side_by_side():
    backbone, images = BilateralResNetCIFAR(8).eval(), torch.randn(2, 3, 32, 32)
    maps = backbone.shared(images)
    features = backbone(images)
    assert torch.equal(features[:, :64], backbone.conventional(maps))
    assert torch.equal(features[:, 64:], backbone.rebalancing(maps))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [31, 33, 18, 2, 0, -4])
def test_depth_that_no_such_network_has_is_refused(kind, depth):
    with pytest.raises(UserError, match=rf"depth is {depth}: .*6n\+2"):
        kind(depth)


@pytest.mark.parametrize("kind", KINDS)
def test_width_below_one_is_refused(kind):
    with pytest.raises(UserError, match="width is 0"):
        kind(8, 0)
