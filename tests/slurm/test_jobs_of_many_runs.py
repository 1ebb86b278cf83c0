"""Several runs in one job, or in one array: each goes on as itself."""

import shlex
import time

import pytest
from lt_runs import checkpoint
from slurm_jobs import ONE_EACH, SHAPE, assert_equal_end, slowly, words

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3600)]
BBN = "bbn-digits"
TWO_RUNS = """\
#!/bin/bash
#SBATCH --job-name=two --signal=SIGUSR1@90 --requeue --open-mode=append --output=slurm-%j.log
set -e
lt="srun lt fit --config bbn --trainer.num_nodes 2 --trainer.strategy ddp"
$lt --seed_everything 0 {words}
$lt --seed_everything 1 {slowly}
"""


def test_one_task_of_an_array_is_warned(jobs, undisturbed, row):
    """Trap: the number of the last task is that of the array, and requeues all its tasks."""
    references = [undisturbed("bbn", seed, *ONE_EACH) for seed in (0, 1)]
    began = time.monotonic()
    array = jobs.fit("bbn", slowly("bbn"), *ONE_EACH, array="0-1")
    tasks = [f"{array}_{seed}" for seed in (0, 1)]
    runs = [jobs.folder / "runs" / BBN / f"slurm-{t}-seed-{s}" for s, t in enumerate(tasks)]
    for run in runs:
        jobs.reached(run.name)
    assert jobs.cluster.show(tasks[1])["JobId"] == array
    jobs.call("scancel", "--signal=USR1", tasks[1])
    jobs.wait(tasks[1], "PENDING")
    assert 0 < checkpoint(runs[1])["global_step"] < 30
    assert jobs.cluster.show(tasks[0])["JobState"] == "RUNNING"
    (jobs.folder / "hurry").touch()
    restarts = [jobs.finished(task)["Restarts"] for task in tasks]
    assert restarts == ["0", "1"]
    assert jobs.said().count(f"job {tasks[1]} is requeued") == 1
    assert jobs.said().count(" is requeued.") == 1
    assert jobs.runs(BBN) == runs
    for run, reference in zip(runs, references, strict=True):
        assert_equal_end(run, reference)
    row("bbn, an array of two seeds, one of them warned", 3, began, "yes")


def test_two_runs_of_one_job(jobs, undisturbed, row):
    """Trap: when the job is started again, the second command takes the first run for its own."""
    references = [undisturbed("bbn", seed, *ONE_EACH) for seed in (0, 1)]
    began = time.monotonic()
    script = TWO_RUNS.format(words=shlex.join(words("bbn")), slowly=shlex.join(slowly("bbn")))
    (jobs.folder / "two.sbatch").write_text(script)
    job = jobs.submit(*SHAPE, *ONE_EACH, "two.sbatch")
    jobs.reached(f"slurm-{job}-*")
    jobs.call("scancel", "--signal=USR1", job)
    jobs.wait(job, "PENDING")
    assert jobs.finished(job)["Restarts"] == "1"
    first, second = jobs.runs(BBN)
    for run, reference in zip((first, second), references, strict=True):
        assert_equal_end(run, reference)
    assert "is finished, nothing was changed" in jobs.said()
    row("bbn, two runs in one job, warned in the second", 2, began, "yes")
