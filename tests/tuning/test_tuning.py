"""What of a backbone is trained, how fast, and what is added to it."""

import builtins

import pytest
import torch
from tiny_vit import TinyViT
from torch import nn

from lt_lightning.backbones import ResNetCIFAR, TorchvisionBackbone, TorchvisionResNet
from lt_lightning.engine.layer_decay import by_depth
from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead
from lt_lightning.losses import BalancedGroupSoftmax
from lt_lightning.methods import ERM
from lt_lightning.tuning import AdaptFormer, FineTuning, LoRA
from lt_lightning.tuning.adapt_former import Adapter, lift_bottleneck

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
COUNTS = [9, 7, 5]


def vit():
    torch.manual_seed(0)
    return TinyViT()


def trained(network):
    return {name for name, p in network.named_parameters() if p.requires_grad}


def distances(network):
    """Return the distance of each parameter by its name."""
    names = {id(p): name for name, p in network.named_parameters()}
    found = [(names[id(p)], distance) for distance, ps in by_depth(network) for p in ps]
    assert len(found) == len(names), "each parameter once"
    return dict(found)


def test_depth_of_a_vit_is_that_of_beit():
    found = distances(vit())
    assert {found["norm.weight"], found["norm.bias"]} == {0}
    for block in range(3):
        assert {d for n, d in found.items() if n.startswith(f"blocks.{block}.")} == {3 - block}
    assert found["patch.weight"] == 4


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet18", 8),
        ("convnext_tiny", 18),
        ("efficientnet_b0", 16),
        ("efficientnet_v2_s", 40),
        ("mobilenet_v2", 17),
        ("mobilenet_v3_small", 11),
        ("densenet121", 58),
        ("swin_t", 12),
        ("vit_b_32", 12),
    ],
)
def test_blocks_of_other_families_are_found(name, blocks):
    with torch.device("meta"):
        found = distances(TorchvisionBackbone(name))
    assert max(found.values()) == blocks + 1
    assert min(found.values()) <= 1
    assert set(found.values()) >= set(range(1, blocks + 1))


def test_adapters_do_not_go_with_the_backbone_of_another_run():
    with pytest.raises(UserError, match="AdaptFormer adds parts to the backbone"):
        ERM(class_counts=COUNTS, backbone=TinyViT, tuning=AdaptFormer(), backbone_init="run")


def test_class_means_are_for_as_many_outputs_as_classes():
    with pytest.raises(UserError, match="gives 3 rows, one a class, and the loss asks for"):
        ERM(
            class_counts=[900, 40, 5],
            backbone=TinyViT,
            head=CosineHead,
            loss=BalancedGroupSoftmax,
            head_start="class_means",
        )


def test_a_decay_over_no_depth_is_refused():
    with torch.device("meta"):
        network = TorchvisionBackbone("vgg11")
    with pytest.raises(UserError, match=r"layer_decay is 0.7 but .* has no rows of blocks"):
        FineTuning(layer_decay=0.7).prepare(network, 3)


def test_rates_fall_with_depth_and_the_classifier_keeps_that_of_the_optimizer():
    module = ERM(
        class_counts=COUNTS,
        backbone=TinyViT,
        tuning=FineTuning(layer_decay=0.5, lr_factor=0.1),
        optimizer=lambda groups: torch.optim.SGD(groups, lr=1.0),
    )
    optimizer = module.configure_optimizers()["optimizer"]
    rates = {id(p): g["initial_lr"] for g in optimizer.param_groups for p in g["params"]}
    assert rates[id(module.head.weight)] == 1.0
    for name, distance in distances(module.backbone).items():
        rate = rates[id(module.backbone.get_parameter(name))]
        assert rate == pytest.approx(0.1 * 0.5**distance), name
    assert len(rates) == len(list(module.parameters()))


def test_a_part_is_named_by_its_place_also_inside_a_wrapped_network():
    network, part = vit(), FineTuning("blocks.2")
    part.prepare(network, 3)
    assert {name.rpartition(".")[0].split(".")[0] for name in trained(network)} == {
        "blocks",
        "norm",
    }
    assert not [name for name in trained(network) if name.startswith(("blocks.0", "blocks.1"))]
    resnet = TorchvisionResNet("resnet18")
    FineTuning("layer4.1").prepare(resnet, 3)
    assert {name[: len("network.layer4.1")] for name in trained(resnet)} == {"network.layer4.1"}
    with pytest.raises(UserError, match=r"'blocks.7': give all, or a part of .*: 0, 1, 2"):
        FineTuning("blocks.7").prepare(network, 3)
    FineTuning(None).prepare(network, 3)
    assert trained(network) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer_decay": 0.0}, "layer_decay is 0.0: give a number above 0, at most 1"),
        ({"layer_decay": float("nan")}, "layer_decay is nan"),
        ({"layer_decay": 1.5}, "layer_decay is 1.5"),
        ({"lr_factor": -1.0}, "lr_factor is -1.0: give a number above 0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        FineTuning(**options)


def test_frozen_layers_are_as_in_evaluation_in_a_training_step():
    module = ERM(
        class_counts=COUNTS, backbone=lambda: ResNetCIFAR(8, 4), tuning=FineTuning("layer3")
    )
    module.eval()
    module.train()
    assert module.backbone.layer3.training
    assert module.head.training
    assert not module.backbone.layer2.training


def test_adapters_add_nothing_at_the_start_and_are_all_that_is_trained():
    network = vit()
    before = network(IMAGES)
    AdaptFormer(bottleneck=2).prepare(network, 3)
    assert torch.equal(network(IMAGES), before)
    assert len(trained(network)) == 3 * 7
    assert all(".mlp.adapter." in name for name in trained(network))
    network(IMAGES).square().sum().backward()
    assert network.blocks[2].mlp.adapter.up.weight.grad.abs().sum() > 0
    assert network.blocks[0].mlp.mlp[0].weight.grad is None


def test_an_adapter_is_its_equation():
    torch.manual_seed(2)
    adapter = Adapter(4, 2)
    for p in adapter.parameters():
        nn.init.normal_(p)
    token = torch.randn(4)
    mean, spread = token.mean(), token.var(unbiased=False)
    x = [(float(v) - mean) / (spread + 1e-5) ** 0.5 for v in token]
    x = [x[i] * adapter.norm.weight[i] + adapter.norm.bias[i] for i in range(4)]
    hidden = []
    for row, bias in zip(adapter.down.weight, adapter.down.bias, strict=True):
        value = sum(row[i] * x[i] for i in range(4)) + bias
        hidden.append(value if value > 0 else 0 * value)
    for place, (row, bias) in enumerate(zip(adapter.up.weight, adapter.up.bias, strict=True)):
        value = adapter.scale * (row[0] * hidden[0] + row[1] * hidden[1] + bias)
        torch.testing.assert_close(adapter(token)[place], value[0])


@pytest.mark.parametrize(
    ("classes", "blocks", "rows"), [(100, 12, 4), (1000, 12, 32), (8142, 12, 256), (10, 12, 1)]
)
def test_bottleneck_is_that_of_lift(classes, blocks, rows):
    assert lift_bottleneck(classes, blocks) == rows


def test_low_rank_matrices_add_nothing_at_the_start_and_are_all_that_is_trained():
    pytest.importorskip("peft")
    network = vit()
    before = network(IMAGES)
    LoRA(rank=2, alpha=4).prepare(network, 3)
    assert torch.equal(network(IMAGES), before)
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert count == 3 * 2 * (16 + 48)
    assert all("lora_" in name for name in trained(network))


@pytest.mark.parametrize(
    ("tuning", "network", "words"),
    [
        (AdaptFormer(), lambda: ResNetCIFAR(8, 4), "needs a backbone of transformer blocks"),
        (
            LoRA(layers=["q_proj"]),
            TinyViT,
            "layers q_proj but .* end in qkv, proj, 0, 2",
        ),
        (LoRA(), lambda: ResNetCIFAR(8, 4), "end in none"),
    ],
)
def test_a_network_without_the_layers_is_refused(tuning, network, words):
    with pytest.raises(UserError, match=words):
        tuning.prepare(network(), 3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdaptFormer(0), "bottleneck is 0"),
        (lambda: LoRA(rank=0), "rank is 0"),
        (lambda: LoRA(alpha=0.0), "alpha is 0.0"),
        (
            lambda: ERM(class_counts=COUNTS, backbone=TinyViT, head_start="class_means"),
            "the head is LinearHead: set --model.head CosineHead",
        ),
    ],
)
def test_other_mistakes_are_one_sentence(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_peft_is_named_where_it_is_missing(monkeypatch):
    real = builtins.__import__

    def without_peft(name, *args, **kwargs):
        if name.split(".")[0] == "peft":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_peft)
    with pytest.raises(UserError, match=r"needs the package peft: pip install 'lt_"):
        LoRA().prepare(vit(), 3)


def test_weights_of_a_tuned_network_go_into_one_that_is_built_alike():
    made = [
        ERM(class_counts=COUNTS, backbone=TinyViT, head=CosineHead, tuning=AdaptFormer(2))
        for _ in range(2)
    ]
    made[1].load_state_dict(made[0].state_dict())
    assert torch.equal(made[0].eval()(IMAGES), made[1].eval()(IMAGES))
