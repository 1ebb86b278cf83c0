"""What is known to go wrong is refused before it is trained, in a sentence that helps."""

import pytest
from lt_runs import in_process, tiny

from lt_lightning.post_hoc import LogitAdjuster, TauNormalization


@pytest.mark.parametrize(
    ("config", "words", "told"),
    [
        ("tau_norm", "--model.head CosineHead", "needs a linear classifier but the run has Cosine"),
        ("balanced_softmax", "--post_hoc LogitAdjuster", "which compensates the class sizes"),
        ("balanced_softmax", "--post_hoc MultiplicativeLogitAdjuster", "compensates the class"),
        ("ce", "--post_hoc TotalDirectEffect", "is for runs of CausalTDE"),
        ("ce", "--post_hoc TargetPrior --post_hoc.shares none.txt", "none.txt cannot be read"),
        ("ce", "--post_hoc TemperatureScaling", "no held-out images to fit on"),
        ("ce", "--post_hoc VectorScalingCalibration", "no held-out images to fit on"),
        ("ce", "--post_hoc LogitAdjuster --post_hoc.tau null", "no held-out images to fit on"),
        ("ce", "--post_hoc TauNormalization --post_hoc.tau null", "no held-out images to fit on"),
        ("crt", "--post_hoc TemperatureScaling", "no held-out images to fit on"),
    ],
)
def test_a_change_that_would_be_refused_at_the_end_trains_nothing(
    tmp_path, monkeypatch, config, words, told
):
    """Trap: all epochs were trained first."""
    monkeypatch.chdir(tmp_path)
    given = tiny(config, *words.split())
    if config == "crt":
        at = given.index("--trainer.max_epochs")
        given[at : at + 2] = ["--model.stage1_epochs", "1", "--model.stage2_epochs", "1"]
    answer = in_process(given)
    assert answer.status == 1
    assert told in answer.err
    assert "lt: epoch" not in answer.err
    assert not list((tmp_path / "runs").rglob("*.ckpt"))


@pytest.mark.parametrize("fit_on", ["held_out", "training"])
def test_what_is_fitted_on_training_images_needs_none_held_out(fit_on):
    change = TauNormalization(None, fit_on=fit_on)
    assert change.needs_held_out() == (fit_on == "held_out")
    assert not TauNormalization(1.0).needs_held_out()
    assert not LogitAdjuster(1.0).needs_held_out()


def test_a_plus_behind_what_is_no_list_is_told(tmp_path, monkeypatch):
    """Trap: "there is no option 'pretrain.options': did you mean 'pretrain.options'?"."""
    monkeypatch.chdir(tmp_path)
    answer = in_process([*tiny("ce"), "--trainer.max_epochs+=3"])
    assert answer.status == 2
    assert answer.err == (
        "lt: 'trainer.max_epochs+' adds to a list, which trainer.max_epochs is not: give "
        "--trainer.max_epochs its whole value.\n"
    )
