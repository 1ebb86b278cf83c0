"""A backbone from another run: all of it or none, and only at the start."""

import logging

import pytest
import torch

from lt_lightning.backbones import BilateralBackbone, ResNetCIFAR
from lt_lightning.backbones.weights import take_weights
from lt_lightning.errors import UserError
from lt_lightning.methods import ERM, Decoupled, RotationSSP
from lt_lightning.runs.past import Past, keep_choice, past_of

NO_STEP = {"epochs": 1, "limit_train_batches": 1, "limit_val_batches": 0}
FROZEN = {"optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.0)}


@pytest.fixture(scope="module")
def pretrained(shared_lab, tmp_path_factory):
    file = tmp_path_factory.mktemp("pretrained") / "last.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PL_GLOBAL_SEED", "0")
        fitted = shared_lab.fit(RotationSSP, epochs=1)
    fitted.trainer.save_checkpoint(file)
    return file


def _backbone(state):
    return {k: v for k, v in state.items() if k.startswith("backbone.")}


def test_every_method_starts_with_all_of_it(lab, method_of_each_kind, pretrained):
    method = method_of_each_kind
    model = {"backbone_init": str(pretrained)}
    if isinstance(lab.module(method).backbone, BilateralBackbone):
        pytest.skip("its backbone has two branches")
    module = lab.fit(method, model=model, epochs=1, limit_train_batches=0).module
    wanted = _backbone(torch.load(pretrained, weights_only=True)["state_dict"])
    found = _backbone(module.state_dict())
    assert found.keys() == wanted.keys()
    assert any(key.endswith("running_var") for key in wanted)
    for key, value in wanted.items():
        assert torch.equal(found[key], value), key


def test_all_of_it_is_trained(lab, pretrained):
    module = lab.fit(ERM, model={"backbone_init": str(pretrained)}, **NO_STEP).module
    start = torch.load(pretrained, weights_only=True)["state_dict"]
    moved = {k for k, p in module.backbone.named_parameters()
             if not torch.equal(p, start[f"backbone.{k}"])}  # fmt: skip
    assert moved == {k for k, _ in module.backbone.named_parameters()}


def test_it_is_told_what_was_taken(lab, pretrained, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="lt_lightning"):
        lab.fit(ERM, model={"backbone_init": str(pretrained)}, **NO_STEP)
    (line,) = [r.getMessage() for r in caplog.records if "took all" in r.getMessage()]
    total = len(_backbone(torch.load(pretrained, weights_only=True)["state_dict"]))
    assert line == f"{pretrained}: took all {total} tensors of the backbone"
    assert "was trained on images of" not in caplog.text
    content = torch.load(pretrained, weights_only=True)
    other = {**content["lt_data"], "image_size": 64, "mean": [0.0, 0.0, 0.0]}  # a size may differ
    torch.save({**content, "lt_data": other}, tmp_path / "other.ckpt")
    lab.fit(ERM, model={"backbone_init": str(tmp_path / "other.ckpt")}, **NO_STEP)
    assert "other.ckpt was trained on images of mean [0.0, 0.0, 0.0] but" in caplog.text


def test_what_the_weights_have_behind_them_goes_on(lab, pretrained, tmp_path):
    def behind(seen=False, **options):
        fitted = lab.fit(ERM, **NO_STEP, **options)
        fitted.data.monitor_test = seen
        fitted.trainer.save_checkpoint(tmp_path / "next.ckpt")
        return past_of(torch.load(tmp_path / "next.ckpt", weights_only=True))

    content = torch.load(pretrained, weights_only=True)
    assert past_of(content) == Past()
    Past(test_seen=True, oracle=True).keep(content)
    keep_choice(content, "best val/acc on TEST images")
    torch.save(content, tmp_path / "first.ckpt")
    known = Past(True, True, built_on="best val/acc on TEST images")
    assert behind(model={"backbone_init": str(tmp_path / "first.ckpt")}) == known
    (tmp_path / "next.ckpt").rename(tmp_path / "first.ckpt")
    assert behind(ckpt_path=tmp_path / "first.ckpt") == known  # a run that goes on
    assert behind(seen=True) == Past(test_seen=True)

    def from_file():  # as --model.backbone.weights FILE does
        network = lab.module(ERM).backbone
        take_weights(network, str(tmp_path / "next.ckpt"))
        return network

    torch.save({**content, "lt_record": {"test_seen_during_training": True, "oracle": False}},
               tmp_path / "next.ckpt")  # fmt: skip
    assert behind(model={"backbone": from_file}) == Past(test_seen=True)


@pytest.mark.parametrize(("depth", "fits"), [(8, "0 of"), (14, "0 of")])
def test_another_backbone_is_refused_with_the_count(lab, pretrained, depth, fits):
    def other():
        return ResNetCIFAR(depth=depth, width=8)

    # The counters of batch norm have no width: they fit everywhere.
    with pytest.raises(UserError, match=r"has another backbone \(\d+ of \d+ tensors fit\)"):
        lab.fit(ERM, model={"backbone": other, "backbone_init": str(pretrained)}, **NO_STEP)


def test_a_smaller_backbone_that_fits_in_part_is_refused(lab, pretrained, tmp_path):
    content = torch.load(pretrained, weights_only=True)
    gone = next(k for k in content["state_dict"] if k.endswith("running_mean"))
    del content["state_dict"][gone]
    torch.save(content, tmp_path / "part.ckpt")
    total = len(_backbone(torch.load(pretrained, weights_only=True)["state_dict"]))
    with pytest.raises(UserError, match=rf"\({total - 1} of {total} tensors fit\)"):
        lab.fit(ERM, model={"backbone_init": str(tmp_path / "part.ckpt")}, **NO_STEP)


def test_a_run_that_goes_on_does_without_the_file(lab, pretrained, tmp_path):
    short = {**NO_STEP, "epochs": 2}
    copy = tmp_path / "copy.ckpt"
    copy.write_bytes(pretrained.read_bytes())
    whole = lab.fit(ERM, model={"backbone_init": str(copy)}, **short)
    part = lab.fit(ERM, model={"backbone_init": str(copy)}, max_steps=1, **short)
    part.trainer.save_checkpoint(tmp_path / "part.ckpt")
    copy.unlink()
    rest = lab.fit(
        ERM, model={"backbone_init": str(copy)}, ckpt_path=tmp_path / "part.ckpt", **short
    )
    for key, value in whole.module.state_dict().items():
        assert torch.equal(value, rest.module.state_dict()[key]), key
    with pytest.raises(UserError, match="There is no checkpoint"):
        lab.fit(ERM, model={"backbone_init": str(copy)}, **short)


def test_two_sources_of_a_backbone_are_refused(lab, pretrained):
    with pytest.raises(UserError, match="stage1_ckpt and backbone_init are both given"):
        lab.module(Decoupled, stage1_ckpt="a.ckpt", backbone_init=str(pretrained))


def test_stage_1_of_a_run_in_two_stages_starts_with_it(lab, pretrained):
    options = {**FROZEN, "backbone_init": str(pretrained)}
    module = lab.fit(Decoupled, model=options, **{**NO_STEP, "epochs": 2}).module
    start = torch.load(pretrained, weights_only=True)["state_dict"]
    for key, value in module.backbone.named_parameters():
        assert torch.equal(value, start[f"backbone.{key}"]), key
