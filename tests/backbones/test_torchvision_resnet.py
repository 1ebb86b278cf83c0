"""torchvision's networks without their classifier, and with two last blocks."""

import pytest
import torch
from torch import nn
from torchvision import models

from lt_lightning.backbones import BilateralTorchvisionResNet, TorchvisionResNet
from lt_lightning.errors import UserError

KINDS = [TorchvisionResNet, BilateralTorchvisionResNet]


def size(module):
    return sum(p.numel() for p in module.parameters())


def test_plain_network_is_that_of_torchvision_without_its_classifier():
    assert size(TorchvisionResNet("resnet18")) == 11_689_512 - 513 * 1000
    torch.manual_seed(0)
    ours = TorchvisionResNet("resnet18").eval()
    torch.manual_seed(0)
    theirs = models.resnet18().eval()
    theirs.fc = nn.Identity()
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [32, 65])
def test_small_images_give_features_of_the_announced_width(kind, side):
    backbone = kind("resnet18").eval()
    assert backbone.out_features == (512 if kind is TorchvisionResNet else 1024)
    assert backbone(torch.randn(2, 3, side, side)).shape == (2, backbone.out_features)
    assert backbone(torch.randn(0, 3, side, side)).shape == (0, backbone.out_features)


def test_bilateral_network_of_a_bottleneck_resnet_has_one_bottleneck_more():
    bottleneck = 2048 * 512 + 512 * 512 * 9 + 512 * 2048 + 2 * (512 + 512 + 2048)
    plain = 25_557_032 - 2049 * 1000
    with torch.device("meta"):
        backbone = BilateralTorchvisionResNet("resnet50")
    assert size(backbone) == plain + bottleneck
    assert backbone.out_features == 4096


def test_branches_share_the_trunk_and_not_the_last_block():
    backbone = BilateralTorchvisionResNet("resnet18").eval()
    images = torch.randn(2, 3, 32, 32)
    maps, features = backbone.shared(images), backbone(images)
    assert torch.equal(features[:, :512], backbone.conventional(maps))
    assert torch.equal(features[:, 512:], backbone.rebalancing(maps))
    backbone.rebalancing(backbone.shared(images)).sum().backward()
    assert all(p.grad is None for p in backbone.block_conventional.parameters())
    assert all(p.grad is not None for p in backbone.block_rebalancing.parameters())
    assert all(p.grad is not None for p in backbone.trunk.parameters())


def test_random_branches_start_apart_with_the_same_spread():
    backbone = BilateralTorchvisionResNet("resnet18")
    first, second = (
        [p.detach() for p in block.parameters() if p.ndim == 4]
        for block in (backbone.block_conventional, backbone.block_rebalancing)
    )
    for a, b in zip(first, second, strict=True):
        assert not torch.equal(a, b)
        assert float(a.std()) == pytest.approx(float(b.std()), rel=0.02)


def test_branches_with_given_weights_start_from_the_same_block(monkeypatch):
    monkeypatch.setattr(models, "get_model", lambda name, weights: models.resnet18())
    backbone = BilateralTorchvisionResNet("resnet18", weights="DEFAULT")
    states = [b.state_dict() for b in (backbone.block_conventional, backbone.block_rebalancing)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert backbone.block_conventional.conv1.weight is not backbone.block_rebalancing.conv1.weight


def test_channels_last_gives_the_same_numbers():
    torch.manual_seed(0)
    images = torch.randn(1, 3, 32, 32)
    for kind in KINDS:
        backbone = kind("resnet18").eval()
        want = backbone(images)
        backbone.to(memory_format=torch.channels_last)
        found = backbone(images.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["resnet19", "vgg11", "fcn_resnet50", "fasterrcnn_resnet50_fpn"])
def test_other_networks_are_refused_without_a_download(kind, name, monkeypatch):
    monkeypatch.setattr(models, "get_model", lambda *args, **kwargs: pytest.fail("was made"))
    with pytest.raises(UserError, match=f"name is '{name}': give one of .*resnet50.*resnext50"):
        kind(name)


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("invalid hash value")])
def test_weights_that_cannot_be_had_are_told(error, monkeypatch):
    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(models.resnet.ResNet18_Weights, "get_state_dict", refuse)
    with pytest.raises(UserError, match="weights 'DEFAULT' of resnet18 cannot be had"):
        TorchvisionResNet("resnet18", weights="DEFAULT")


def test_weights_of_another_name_are_told():
    with pytest.raises(UserError, match="weights 'IMAGENET' of resnet18 cannot be had"):
        TorchvisionResNet("resnet18", weights="IMAGENET")
