"""What was started wrongly is refused by each task, in one sentence, and leaves nothing."""

import time

import pytest
from lt_runs import checkpoint
from slurm_jobs import words

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3600)]
FIT = ("lt", "fit", "--config", "ce", *words("bbn")[:-2])
TWO = ("--nodes=1", "--ntasks-per-node=2")
BOTH = ("--trainer.devices", "2", "--trainer.strategy", "ddp")
# What the user starts, and what is refused with which line.
WRONG = {
    "srun forgotten": (("salloc", "-J", "lt", *TWO), (*FIT, *BOTH), "write srun lt"),
    "--ntasks": (("srun", "-N2", "--ntasks=2"), FIT, "write #SBATCH --nodes=2 --ntasks-per-node=1"),
    "devices 1": (("srun", *TWO), FIT, "add --trainer.devices 2 --trainer.num_nodes 1"),
    "salloc": (("salloc", *TWO, "srun"), (*FIT, *BOTH), "write srun -J lt lt"),
}


@pytest.mark.parametrize("case", WRONG)
def test_refused_with_the_line_to_write(jobs, row, case):
    """Traps: a hang; several copies in one folder."""
    began, (start, command, line) = time.monotonic(), WRONG[case]
    done = jobs.call(*start, *command)
    sentences = [said for said in done.stderr.splitlines() if said.startswith("lt")]
    assert len(sentences) == 1, done.stderr
    assert line in sentences[0]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (jobs.folder / "runs").exists()
    row(f"{case}: refused", 1, began)


def test_two_processes_under_salloc(jobs, row):
    """What the refusal says to write does it."""
    began = time.monotonic()
    done = jobs.call("salloc", *TWO, "srun", "-J", "lt", *FIT, *BOTH)
    assert done.returncode == 0, done.stderr
    (run,) = jobs.runs("ce-digits")
    assert checkpoint(run)["global_step"] == 30
    row("ce, salloc and srun -J lt", 1, began)
