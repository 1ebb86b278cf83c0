"""A change after training that the classifier does not take is refused before it is trained."""

from lt_runs import in_process, tiny


def test_tau_norm_of_a_cosine_head_trains_nothing(tmp_path, monkeypatch):
    """Trap: all epochs were trained first."""
    monkeypatch.chdir(tmp_path)
    answer = in_process(tiny("tau_norm", "--model.head", "CosineHead"))
    assert answer.status == 1
    assert "tau-normalisation needs a linear classifier but the run has CosineHead" in answer.err
    assert "training images" not in answer.err
    assert not list((tmp_path / "runs").rglob("*.ckpt"))
