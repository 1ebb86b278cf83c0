"""One fit with a change of stages is two fits by hand, wherever it is stopped."""

import pytest
import torch
from two_stage_kit import Saves, build_data, fit, same_state, tiny, two_stage

from lt_lightning.augment import Mixup
from lt_lightning.errors import UserError
from lt_lightning.heads import CRT, LWS
from lt_lightning.methods import ERM, ClassifierBound, Decoupled, DisAlign, MixupTwoStage
from lt_lightning.runs.past import Past, keep_choice, past_of

METHODS = {
    "crt": (Decoupled, {"classifier": CRT()}),
    "lws": (Decoupled, {"classifier": LWS(), "bn_mode": "eval"}),
    "mislas": (MixupTwoStage, {"shift_bn": True}),
    "dis_align": (DisAlign, {}),
    "bound": (ClassifierBound, {}),
    "all": (Decoupled, {"trained_from": "all", "stage2_mixing": Mixup()}),
}


# The others differ in what stage 2 trains, which tests of their own look at.
_DEFAULT = {"crt", "mislas"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in _DEFAULT else pytest.mark.slow) for n in METHODS],
)
def test_one_fit_equals_two_fits(name, tmp_path):
    kind, options = METHODS[name]
    mixing = Mixup() if kind is MixupTwoStage else None
    whole = fit(two_stage(kind, **options), 4, tmp_path)

    def stage1(data):
        return ERM(class_counts=data.class_counts.tolist(), backbone=tiny, mixing=mixing)

    fit(stage1, 2, tmp_path, data=build_data(staged=False), callbacks=[Saves(tmp_path)])
    second = two_stage(kind, stage1_ckpt=str(tmp_path / "end-1.ckpt"), **options)
    parts = fit(second, 2, tmp_path)
    assert same_state(whole.state_dict(), parts.state_dict()) == []


@pytest.mark.parametrize(
    "stopped",
    [
        "end-1",
        "middle-2",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("middle-1", "end-2", "middle-3")),
    ],
)
def test_a_stopped_run_ends_with_the_same_weights(stopped, tmp_path):
    make = two_stage(MixupTwoStage, shift_bn=True)
    whole = fit(make, 4, tmp_path, callbacks=[Saves(tmp_path)])
    again = fit(make, 4, tmp_path, ckpt_path=tmp_path / f"{stopped}.ckpt")
    assert again.stage == 2
    assert same_state(whole.state_dict(), again.state_dict()) == []


def test_a_run_without_stage_1_goes_on_without_its_checkpoint(tmp_path):
    def stage1(data):
        return ERM(class_counts=data.class_counts.tolist(), backbone=tiny)

    fit(stage1, 1, tmp_path, data=build_data(staged=False), callbacks=[Saves(tmp_path)])
    first = tmp_path / "end-0.ckpt"
    first.rename(tmp_path / "stage1.ckpt")
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "stage1.ckpt"))
    whole = fit(second, 2, tmp_path, callbacks=[Saves(tmp_path)])
    (tmp_path / "stage1.ckpt").unlink()
    again = fit(second, 2, tmp_path, ckpt_path=tmp_path / "end-0.ckpt")
    assert same_state(whole.state_dict(), again.state_dict()) == []


def test_what_stage_1_has_behind_it_goes_on_and_an_oracle_sees_more_in_stage_2(tmp_path):
    def behind(name):
        return past_of(torch.load(tmp_path / name, weights_only=True))

    short = {"callbacks": [Saves(tmp_path)], "limit_train_batches": 2}
    fit(two_stage(ClassifierBound), 4, tmp_path, **short)
    assert [behind(f"end-{epoch}.ckpt").oracle for epoch in range(4)] == [False, False, True, True]
    content = torch.load(tmp_path / "end-1.ckpt", weights_only=True)
    Past(test_seen=True).keep(content)
    keep_choice(content, "best val/acc on TEST images")
    torch.save(content, tmp_path / "first.ckpt")
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "first.ckpt"))
    fit(second, 2, tmp_path, **short)
    assert behind("end-1.ckpt") == Past(True, built_on="best val/acc on TEST images")


def test_stage_1_alone_is_the_same_whatever_comes_after(tmp_path):
    fit(two_stage(Decoupled), 4, tmp_path, callbacks=[Saves(tmp_path)])
    first = torch.load(tmp_path / "end-1.ckpt", weights_only=True)["state_dict"]
    fit(two_stage(DisAlign), 4, tmp_path, callbacks=[Saves(tmp_path)])
    second = torch.load(tmp_path / "end-1.ckpt", weights_only=True)["state_dict"]
    assert same_state(first, second) == []


def test_lengths_that_do_not_add_up_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"2 and stage2_epochs 2 are 4 epochs but .* is 5"):
        fit(two_stage(Decoupled), 5, tmp_path)


def test_early_stopping_is_refused(tmp_path):
    from lightning.pytorch.callbacks import EarlyStopping

    with pytest.raises(UserError, match="EarlyStopping could end the run in stage 1"):
        fit(two_stage(Decoupled), 4, tmp_path, callbacks=[EarlyStopping("train/loss")])


@pytest.mark.parametrize("method", [Decoupled, DisAlign])
def test_an_average_over_both_stages_is_refused(tmp_path, method):
    """Trap: the classifier that was tested was partly that of stage 1, which is thrown away."""
    from lightning.pytorch.callbacks import EMAWeightAveraging

    with pytest.raises(UserError, match="EMAWeightAveraging would average the classifiers of both"):
        fit(two_stage(method), 4, tmp_path, callbacks=[EMAWeightAveraging()])


def test_a_checkpoint_of_stage_2_is_no_stage_1(tmp_path):
    fit(two_stage(Decoupled), 4, tmp_path, callbacks=[Saves(tmp_path)])
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "end-3.ckpt"))
    with pytest.raises(UserError, match="is a checkpoint of stage 2"):
        fit(second, 2, tmp_path)


def test_another_backbone_is_refused_with_the_count(tmp_path):
    def stage1(data):
        from lt_lightning.backbones import ResNetCIFAR

        wide = ResNetCIFAR(depth=8, width=8)
        return ERM(class_counts=data.class_counts.tolist(), backbone=lambda: wide)

    fit(stage1, 1, tmp_path, data=build_data(staged=False), callbacks=[Saves(tmp_path)])
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "end-0.ckpt"))
    with pytest.raises(UserError, match=r"another backbone \(\d+ of 42 tensors fit\)"):
        fit(second, 2, tmp_path)


def test_a_missing_stage_1_is_refused(tmp_path):
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "none.ckpt"))
    with pytest.raises(UserError, match=r"no checkpoint .*none.ckpt"):
        fit(second, 2, tmp_path)
