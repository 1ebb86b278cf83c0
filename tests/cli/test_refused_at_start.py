"""What is known to go wrong is refused before it is trained, in a sentence that helps."""

from lt_runs import in_process, tiny


def test_tau_norm_of_a_cosine_head_trains_nothing(tmp_path, monkeypatch):
    """Trap: all epochs were trained first."""
    monkeypatch.chdir(tmp_path)
    answer = in_process(tiny("tau_norm", "--model.head", "CosineHead"))
    assert answer.status == 1
    assert "tau-normalisation needs a linear classifier but the run has CosineHead" in answer.err
    assert "training images" not in answer.err
    assert not list((tmp_path / "runs").rglob("*.ckpt"))


def test_a_plus_behind_what_is_no_list_is_told(tmp_path, monkeypatch):
    """Trap: "there is no option 'pretrain.options': did you mean 'pretrain.options'?"."""
    monkeypatch.chdir(tmp_path)
    answer = in_process([*tiny("ce"), "--trainer.max_epochs+=3"])
    assert answer.status == 2
    assert answer.err == (
        "lt: 'trainer.max_epochs+' adds to a list, which trainer.max_epochs is not: give "
        "--trainer.max_epochs its whole value.\n"
    )
