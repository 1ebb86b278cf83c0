"""Which networks are parted in which blocks, and what cannot train with its weights in shards."""

from types import SimpleNamespace

import pytest
from lightning.pytorch.callbacks import EMAWeightAveraging
from lightning.pytorch.strategies import FSDPStrategy, ModelParallelStrategy, SingleDeviceStrategy
from tiny_vit import TinyViT
from torch import nn

from lt_lightning.backbones import TorchvisionBackbone
from lt_lightning.engine.sharded import blocks, is_sharded, shard
from lt_lightning.errors import UserError
from lt_lightning.methods import CMO, ERM, CausalTDE, Decoupled, PaCo

COUNTS = [5, 3, 2]


def trainer(strategy=None, shares=2, within=1, precision="32-true", callbacks=()):
    if strategy is None:
        strategy = ModelParallelStrategy(save_distributed_checkpoint=False)
    sizes = {"data_parallel": shares, "tensor_parallel": within}
    strategy._device_mesh = {
        name: SimpleNamespace(size=lambda size=size: size) for name, size in sizes.items()
    }
    return SimpleNamespace(strategy=strategy, precision=precision, callbacks=list(callbacks))


def vit(kind=ERM, **options):
    return kind(class_counts=COUNTS, backbone=TinyViT, **options)


def test_the_blocks_of_a_transformer_are_parted_each_by_itself():
    small = TinyViT()
    assert set(blocks(small)) == set(small.blocks)
    large = TorchvisionBackbone("vit_b_32")
    names = {name for name, part in large.named_modules() if part in set(blocks(large))}
    assert len(names) == 12
    assert all("encoder_layer_" in name for name in names)


def test_inner_blocks_come_before_those_around_them_and_small_ones_stay_whole():
    stages = nn.Sequential(*(nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)) for _ in range(2)))
    found = list(blocks(stages))
    assert len(found) == 6
    for stage in stages:
        assert all(found.index(inner) < found.index(stage) for inner in stage)
    stages.append(nn.Sequential(nn.Linear(9, 1), nn.Linear(1, 1)))  # 2 of 372 numbers
    assert stages[2][1] not in set(blocks(stages))
    alike = nn.Sequential(nn.ModuleList([nn.Linear(9, 9)]), nn.ModuleList([nn.Linear(9, 9)]))
    assert not list(blocks(alike))  # a list computes nothing by itself


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Decoupled, r"stage 1 by ERM .*--model.stage1_ckpt RUN and --trainer.strategy ddp"),
        (PaCo, "more than its backbone and its classifier .*--trainer.strategy ddp"),
    ],
)
def test_methods_that_do_more_are_refused_with_the_way_out(kind, sentence):
    with pytest.raises(UserError, match=f"^{kind.__name__} .*{sentence}"):
        shard(vit(kind), trainer())


def test_parts_that_a_subclass_adds_are_refused():
    module = vit()
    module.projection = nn.Linear(16, 4)
    with pytest.raises(UserError, match="more than its backbone"):
        shard(module, trainer())


def test_only_methods_that_say_so_are_parted():
    assert ERM.shards
    assert CMO.shards
    assert not any(kind.shards for kind in (CausalTDE, Decoupled, PaCo))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"within": 2}, "give data_parallel_size 4 and tensor_parallel_size 1"),
        ({"strategy": ModelParallelStrategy()}, "save_distributed_checkpoint false"),
        ({"precision": "bf16-true"}, "'bf16-true': .* give 32-true or bf16-mixed"),
        ({"callbacks": [EMAWeightAveraging()]}, "cannot average .*--trainer.strategy ddp"),
        ({"strategy": FSDPStrategy()}, "FSDPStrategy: .*ModelParallelStrategy"),
    ],
)
def test_trainers_that_cannot_are_refused_with_the_way_out(options, sentence):
    with pytest.raises(UserError, match=sentence):
        shard(vit(), trainer(**options))


def test_batch_norm_and_compiled_networks_are_refused():
    with pytest.raises(UserError, match=r"ResNetCIFAR has batch norm.* ViT, .*ddp"):
        shard(ERM(class_counts=COUNTS), trainer())
    with pytest.raises(UserError, match=r"model.compile is true: leave it out"):
        shard(vit(compile=True), trainer())


def test_other_strategies_leave_the_weights_whole():
    module = vit()
    shard(module, trainer(SingleDeviceStrategy("cpu")))
    assert not is_sharded(module)
