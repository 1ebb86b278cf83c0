"""Jobs that SLURM cuts and starts again: they end with the bits of one long job."""

import time

import pytest
from lt_runs import checkpoint
from slurm_jobs import assert_equal_end, slowly

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3600)]
EPOCHS = 3
URGENT = ("--partition=high", "--nodes=2", "--ntasks-per-node=4", "--wrap", "sleep 1")


@pytest.fixture
def begin(jobs):
    """Return a function that submits a run, and gives its job and folder when it trains."""

    def submit(config, cuts, *options):
        job = f"{jobs.fit(config, slowly(config, cuts), '--time=60', *options)}_0"
        run = jobs.folder / "runs" / f"{config}-digits" / f"slurm-{job}-seed-0"
        jobs.reached(run.name)
        return job, run

    return submit


@pytest.fixture
def preempt(jobs):
    """Return a function that submits a job of a higher partition, which needs all nodes."""

    def submit(job, run):
        jobs.wait(jobs.submit(*URGENT), "COMPLETED")
        return cut(jobs, job, run)

    return submit


def cut(jobs, job, run):
    """Wait until a job is requeued, and return the step of its run."""
    jobs.wait(job, "PENDING")
    return checkpoint(run)["global_step"]


def assert_gone_on(jobs, run, reference):
    """Stop unless no epoch began anew, and the end is that of an undisturbed run."""
    for epoch in range(1, EPOCHS + 1):
        assert jobs.said().count(f"lt: epoch {epoch}/{EPOCHS}") == 1, jobs.said()
    assert "Traceback" not in jobs.said()
    assert_equal_end(run, reference)


@pytest.mark.parametrize("config", ["bbn", "mislas", "paco"])
def test_preempted_and_out_of_time(jobs, undisturbed, begin, preempt, row, config):
    """A job of a higher partition needs the nodes; the next job ends before the run does."""
    reference, began = undisturbed(config), time.monotonic()
    job, run = begin(config, 2, "--signal=SIGUSR1@45")
    steps = [preempt(job, run)]
    assert 0 < steps[0] < 10 * EPOCHS
    assert jobs.said().count(" is requeued.") == 1
    jobs.cluster.restart_now(job, "TimeLimit=3")  # the warning comes up to 30 seconds early
    jobs.wait(job, "RUNNING")
    steps.append(cut(jobs, job, run))
    restarts = int(jobs.finished(job)["Restarts"])
    assert jobs.said().count(" is requeued.") == restarts >= 2
    assert steps[0] < steps[1]  # on a slow machine the second one may be the last
    assert_gone_on(jobs, run, reference)
    what = f"{config}, preempted after step {steps[0]}, out of time after step {steps[1]}"
    row(what, 1 + restarts, began, "yes")


def test_preempted_without_a_warning(jobs, undisturbed, begin, preempt, row):
    """SLURM requeues the job itself, and srun kills its tasks before a step may end."""
    reference, began = undisturbed("bbn"), time.monotonic()
    job, run = begin("bbn", 1, "--partition=abrupt")
    step = preempt(job, run)
    assert 0 < step < 10 * EPOCHS
    assert jobs.finished(job)["Restarts"] == "1"
    assert_gone_on(jobs, run, reference)
    row(f"bbn, preempted after step {step} by SIGTERM alone", 2, began, "yes")
