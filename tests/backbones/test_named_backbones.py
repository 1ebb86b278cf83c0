"""Networks of torchvision and timm by name: their heads, sizes, views and weights."""

import builtins
import inspect

import pytest
import torch
from torchvision import models

from lt_lightning.backbones import (
    BilateralTorchvisionResNet,
    TimmBackbone,
    TorchvisionBackbone,
    TorchvisionResNet,
    without_weights,
)
from lt_lightning.backbones.view import View
from lt_lightning.errors import UserError

NAMES = [
    "convnext_tiny", "densenet121", "efficientnet_b0", "mobilenet_v3_small", "resnet18",
    "squeezenet1_1", "swin_t", "vgg11", "vit_b_32",
]  # fmt: skip


# A Linear, a Conv2d and a list as what is taken away; tests/cli and tests/tuning have a ViT.
QUICK = {"mobilenet_v3_small", "resnet18", "squeezenet1_1"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in NAMES]
)
def test_the_head_of_any_family_is_taken_away_and_the_width_is_found(name):
    with torch.device("meta"):
        backbone = TorchvisionBackbone(name)
        features = backbone(torch.randn(2, 3, backbone.side or 64, backbone.side or 64))
    assert features.shape == (2, backbone.out_features)
    assert not [k for k, v in backbone.state_dict().items() if 1000 in v.shape[:1]]


def test_features_are_what_the_last_layer_of_torchvision_sees():
    torch.manual_seed(0)
    whole = models.shufflenet_v2_x0_5().eval()
    torch.manual_seed(0)
    backbone = TorchvisionBackbone("shufflenet_v2_x0_5").eval()
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(whole.fc(backbone(images)), whole(images))


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        (TorchvisionBackbone, "DEFAULT"),
        (TorchvisionResNet, "DEFAULT"),
        (BilateralTorchvisionResNet, "DEFAULT"),
        (TimmBackbone, None),
    ],
)
def test_a_name_that_is_not_given_is_that_of_the_constructor(kind, weights):
    default = inspect.signature(kind).parameters["name"].default
    given = kind.asked_view(name=default, weights=weights)
    assert kind.asked_view(weights=weights) == given

    class Other(kind):
        def __init__(self, name="resnet18", weights=None):
            super().__init__(name, weights)

    assert Other.option("name", {"weights": weights}) == "resnet18"
    assert Other.option("name", {"name": default}) == default


@pytest.mark.parametrize("name", ["fcn_resnet50", "fasterrcnn_resnet50_fpn", "convnext"])
def test_what_is_no_classifier_is_refused(name):
    with pytest.raises(UserError, match=f"name is '{name}': give one of .*convnext_tiny"):
        TorchvisionBackbone(name)


def test_views_are_those_of_the_weights_and_need_no_download():
    swag = {"name": "vit_b_16", "weights": "IMAGENET1K_SWAG_E2E_V1"}
    assert TorchvisionBackbone.asked_view(**swag).image_size == 384
    assert TorchvisionBackbone.asked_view(**swag, image_size=96).image_size == 96
    assert TorchvisionBackbone.asked_view(name="vit_b_16") == View()
    assert TorchvisionResNet.asked_view(name="resnet18", weights="own.pth").image_size == 224
    theirs = models.get_model_weights("efficientnet_b3").DEFAULT.transforms()
    view = TorchvisionBackbone.asked_view(name="efficientnet_b3", weights="DEFAULT")
    assert view == View(tuple(theirs.mean), tuple(theirs.std), 300)


def test_a_network_built_for_a_checkpoint_has_the_form_that_its_weights_gave_it():
    with torch.device("meta"), without_weights():
        swag = TorchvisionBackbone("vit_b_16", weights="IMAGENET1K_SWAG_E2E_V1")
        google = TorchvisionBackbone("googlenet", weights="DEFAULT")
    assert swag.side == 384
    assert google.network.transform_input is True


def test_a_vit_is_made_for_other_sizes_and_refuses_the_rest():
    with torch.device("meta"):
        backbone = TorchvisionBackbone("vit_b_32", image_size=64)
        assert backbone(torch.randn(1, 3, 64, 64)).shape == (1, 768)
        with pytest.raises(UserError, match="made for images of 64 pixels and got 32x32"):
            backbone(torch.randn(1, 3, 32, 32))
        with pytest.raises(UserError, match="image_size of vit_b_32 is 65: give a multiple of 32"):
            TorchvisionBackbone("vit_b_32", image_size=65)


def test_a_file_of_a_larger_vit_has_its_positions_interpolated(tmp_path):
    pytest.importorskip("timm")
    big = TimmBackbone("test_vit", image_size=64)
    torch.save(big.network.state_dict(), tmp_path / "w.pth")
    small = TimmBackbone("test_vit", weights=str(tmp_path / "w.pth"), image_size=32)
    assert small.network.pos_embed.shape[1] == 1 + 4
    assert torch.equal(small.network.blocks[0].mlp.fc1.weight, big.network.blocks[0].mlp.fc1.weight)
    assert small(torch.randn(1, 3, 32, 32)).shape == (1, 64)


def test_timm_is_named_where_it_is_missing(monkeypatch):
    real = builtins.__import__

    def without_timm(name, *args, **kwargs):
        if name.split(".")[0] == "timm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_timm)
    with pytest.raises(UserError, match=r"needs the package timm: pip install 'lt_"):
        TimmBackbone("resnet18")


class TestTimm:
    """What needs timm."""

    @pytest.fixture(autouse=True)
    def timm(self):
        return pytest.importorskip("timm")

    @pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_efficientnet"])
    def test_networks_without_a_fixed_size(self, name):
        backbone = TimmBackbone(name).eval()
        assert backbone.side is None
        for side in (32, 64):
            assert backbone(torch.randn(1, 3, side, side)).shape == (1, backbone.out_features)

    @pytest.mark.parametrize("name", ["mobilenetv3_small_100", "levit_128s"])
    def test_widths_behind_the_maps_are_found(self, name):
        with torch.device("meta"):
            backbone = TimmBackbone(name)
            features = backbone(torch.randn(2, 3, 224, 224))
        assert features.shape == (2, backbone.out_features)

    def test_views_need_no_download(self):
        view = TimmBackbone.asked_view(name="vit_base_patch16_224.augreg_in21k", weights="DEFAULT")
        assert view == View((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 224)
        assert TimmBackbone.asked_view(name="test_vit", weights="x.pth").image_size == 160
        assert TimmBackbone.asked_view(name="test_vit") == View()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"name": "vit_tyny_patch16_224"}, "give one of .*vit_tiny_patch16_224 for example"),
            ({"name": "test_vit.r1"}, "'test_vit.r1', of which timm has no weights: give test_vit"),
            ({"name": "test_vit", "weights": "IMAGENET"}, "weights of test_vit is 'IMAGENET'"),
            ({"name": "test_convnext", "weights": "DEFAULT"}, "cannot be had .OSError.*connection"),
            ({"name": "test_vit", "weights": "gone.pth"}, "There is no file of weights gone.pth"),
            (
                {"name": "vgg11", "gradient_checkpointing": True},
                "has no gradient checkpointing",
            ),
        ],
    )
    def test_mistakes_are_one_sentence(self, options, words, monkeypatch, timm):
        real = timm.create_model

        def no_network(name, pretrained=False, **more):
            if pretrained:
                raise OSError("no route to host")
            return real(name, **more)

        monkeypatch.setattr(timm, "create_model", no_network)
        with pytest.raises(UserError, match=words), torch.device("meta"):
            TimmBackbone(**options)

    def test_gradient_checkpointing_gives_the_same_gradients(self):
        found = []
        for asked in (False, True):
            torch.manual_seed(0)
            backbone = TimmBackbone("test_vit", image_size=32, gradient_checkpointing=asked)
            backbone(torch.ones(2, 3, 32, 32)).square().sum().backward()
            found.append([p.grad.clone() for p in backbone.parameters()])
        for plain, again in zip(*found, strict=True):
            torch.testing.assert_close(plain, again)
