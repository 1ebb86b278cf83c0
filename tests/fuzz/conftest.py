"""One finished run for all cases."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # its modules are of this folder alone


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return the folder of a tiny run with held-out images; not to be changed."""
    from lt_runs import in_process, tiny

    folder = tmp_path_factory.mktemp("finished")
    held = ("--data.holdout.fraction=0.1", "--trainer.max_epochs=1", "--name=held")
    limits = ("--trainer.limit_train_batches=2", "--trainer.precision=32-true")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = in_process(tiny("ce", *held, *limits))
    assert answer.status == 0, answer.err
    return folder / "runs" / "held" / "0"


@pytest.fixture
def maker(tmp_path, finished, monkeypatch):
    """Return what makes the cases, in an empty folder, without figures, which take seconds."""
    from cases import Maker

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Maker(tmp_path, finished, seed=int(os.environ.get("FUZZ_SEED", "0")))
