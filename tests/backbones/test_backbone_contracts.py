"""Contracts of every public backbone; a new one is covered by itself."""

import inspect
import pickle

import pytest
import torch

from lt_lightning import backbones
from lt_lightning.backbones import Backbone, BilateralBackbone
from lt_lightning.errors import UserError

# The smallest of each kind, where its default is large.
SMALL = {
    "ResNetCIFAR": {"depth": 8},
    "BilateralResNetCIFAR": {"depth": 8},
    "TorchvisionBackbone": {"name": "shufflenet_v2_x0_5"},
    "TimmBackbone": {"name": "test_resnet"},
}
NEEDS = {"TimmBackbone": "timm"}  # packages that are asked for apart
PUBLIC = [getattr(backbones, name) for name in backbones.__all__]
CONCRETE = [kind for kind in PUBLIC if inspect.isclass(kind) and not inspect.isabstract(kind)]


def make(kind):
    if kind.__name__ in NEEDS:
        pytest.importorskip(NEEDS[kind.__name__])
    torch.manual_seed(0)
    return kind(**SMALL.get(kind.__name__, {"name": "resnet18"}))


@pytest.fixture(params=CONCRETE, ids=lambda kind: kind.__name__)
def backbone(request):
    return make(request.param)


def test_there_are_backbones():
    assert len(CONCRETE) >= 4
    assert all(issubclass(kind, Backbone) for kind in CONCRETE)


def test_features_are_as_wide_as_announced_and_every_parameter_gets_a_gradient(backbone):
    features = backbone(torch.randn(2, 3, 32, 32))
    assert features.shape == (2, backbone.out_features)
    features.square().sum().backward()
    assert all(p.grad is not None for p in backbone.parameters())


def test_features_of_an_image_do_not_depend_on_its_batch_in_evaluation(backbone):
    backbone.eval()
    images = torch.randn(3, 3, 32, 32)
    alone = torch.cat([backbone(image[None]) for image in images])
    torch.testing.assert_close(backbone(images), alone, rtol=1e-4, atol=1e-5)


def test_network_survives_pickling_and_state_dict(backbone):
    backbone.eval()
    images = torch.randn(1, 3, 32, 32)
    copy = pickle.loads(pickle.dumps(backbone))
    assert torch.equal(copy(images), backbone(images))
    assert not [key for key in backbone.state_dict() if "fc." in key], "no classifier is left"


@pytest.mark.parametrize("kind", [k for k in CONCRETE if issubclass(k, BilateralBackbone)])
def test_bilateral_features_are_two_halves(kind):
    backbone = make(kind).eval()
    images = torch.randn(2, 3, 32, 32)
    maps = backbone.shared(images)
    halves = torch.cat([backbone.conventional(maps), backbone.rebalancing(maps)], dim=1)
    assert torch.equal(backbone(images), halves)
    assert halves.shape[1] == backbone.out_features


def test_features_are_the_mean_of_the_maps_or_there_are_none(backbone):
    backbone.eval()
    images = torch.randn(2, 3, 64, 64)
    if isinstance(backbone, BilateralBackbone) or type(backbone).maps is Backbone.maps:
        with pytest.raises(UserError, match=f"{type(backbone).__name__} has no class-activation"):
            backbone.maps(images)
        return
    maps = backbone.maps(images)
    assert maps.ndim == 4
    assert maps.shape[2] > 1
    torch.testing.assert_close(maps.mean(dim=(2, 3)), backbone(images))
