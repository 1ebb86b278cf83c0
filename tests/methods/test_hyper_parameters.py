"""What a subclass from anywhere was given is kept, whatever it calls its catch-all."""

import pytest
import torch

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.losses import LogitAdjustment
from lt_lightning.methods import ERM

GIVEN = {
    "class_counts": [8, 2],
    "class_names": ["a", "b"],
    "groups": {"many": [0], "few": [1]},
    "channels_last": False,
    "compile": False,
    "backbone_init": None,
}


class WithOptions(ERM):
    def __init__(self, strength: float = 2.0, **options):
        super().__init__(loss=LogitAdjustment, **options)
        self.strength = strength


class WithKwargs(ERM):
    def __init__(self, strength: float = 2.0, **kwargs):
        super().__init__(loss=LogitAdjustment, **kwargs)
        self.strength = strength


class ByAnotherSelf(ERM):
    def __init__(this, strength: float = 2.0, **rest):
        super().__init__(loss=LogitAdjustment, **rest)
        this.strength = strength


class Below(WithOptions):
    def __init__(self, **everything):
        super().__init__(**everything)


@pytest.mark.parametrize("kind", [WithOptions, WithKwargs, ByAnotherSelf, Below])
def test_all_that_was_given_is_kept(kind):
    module = kind(strength=3.0, **GIVEN)
    want = {**GIVEN, "strength": 3.0}
    assert {name: module.hparams[name] for name in want} == want
    assert "loss" not in module.hparams, "what the subclass fixes would be given twice"


def test_a_checkpoint_brings_them_back(tmp_path):
    def small():
        return ResNetCIFAR(depth=8, width=4)

    module = WithOptions(strength=3.0, backbone=small, **GIVEN)
    file = tmp_path / "a.ckpt"
    content = {
        "state_dict": module.state_dict(),
        "hyper_parameters": dict(module.hparams),
        "pytorch-lightning_version": "2.0.0",
    }
    torch.save(content, file)
    read = WithOptions.load_from_checkpoint(file, backbone=small, weights_only=True)
    assert read.strength == 3.0
    assert read.class_names == ["a", "b"]
    assert read.memory_format is torch.contiguous_format
