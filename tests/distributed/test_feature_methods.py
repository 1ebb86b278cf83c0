"""Methods that compare images of all processes run through `lt fit` on two of them."""

import pytest
from lt_runs import STEPS, checkpoint, results, rows, run, tiny

pytestmark = pytest.mark.distributed
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp")


@pytest.mark.parametrize(
    "config", ["bcl", "hybrid_psc", "hybrid_sc", "paco", "ssp_moco", "ssp_simsiam"]
)
def test_two_processes_train_and_are_tested(config, tmp_path):
    answer = run(tiny(config, *TWO, "--name", "run"), tmp_path)
    assert answer.status == 0, answer.err
    assert "Warning" not in answer.err
    folder = tmp_path / "runs" / "run" / "0"
    assert results(folder)["evaluations"]["last"]["images"] == 596  # each test image once
    losses = [float(row["train/loss"]) for row in rows(folder) if row.get("train/loss")]
    assert len(losses) == 3
    kept = checkpoint(folder)
    assert kept["global_step"] == 3 * STEPS
    if config in ("paco", "ssp_moco"):  # keys of both processes, 32 a step, from the first place on
        assert int(kept["state_dict"]["queue.pointer"]) == 3 * STEPS * 32 % 1024
