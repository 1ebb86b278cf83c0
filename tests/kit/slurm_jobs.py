"""Jobs of `lt fit` by the shipped script, as a user of a SLURM submits them."""

import os
import sys
from pathlib import Path

from lt_runs import assert_same_end, rows
from slurm_cluster import until

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "slurm" / "fit.sbatch"
KIT = ROOT / "tests" / "kit"
LONG = 600  # seconds that a job may take on a busy machine
# What the shipped file is given for a machine without GPUs: its options lie over those of the file.
SHAPE = ("--nodes=2", "--ntasks-per-node=2", "--gpus-per-node=0", "--cpus-per-task=1")
ONE_EACH = ("--ntasks-per-node=1",)  # where two processes are enough
CPU = ("--trainer.accelerator", "cpu", "--trainer.precision", "32-true")
LENGTHS = {
    "bbn": ("--trainer.max_epochs", "3", "--data.drop_last", "true"),
    "mislas": ("--model.stage1_epochs", "2", "--model.stage2_epochs", "1"),
    "paco": ("--trainer.max_epochs", "3", "--data.batch_size", "24", "--model.queue_size", "1032"),
}
# Steps in which the first and the second job of a chain wait to be cut: MiSLAS in both its stages.
# They end after 5 or 10 steps of an epoch, which has 10 in BBN, 11 in MiSLAS and 13 in PaCo.
CUT_IN = {"bbn": [12, 22], "mislas": [12, 23], "paco": [14, 28]}
SLOW = ("--trainer.callbacks+=slow_steps.SlowSteps", "--trainer.callbacks.begin")


def words(config):
    """Return the words after the config: three epochs of some ten steps on digits."""
    return [
        *("--config", "data/digits", *CPU),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.batch_size", "32", *LENGTHS[config]),
        *("--data.augment", "RandomCropFlip", "--data.augment.padding", "1"),
        *("--model.lr_schedule.warmup_epochs", "1"),
    ]


def slowly(config, cuts=1):
    """Return the words of a run that waits to be cut, in its first job or in its second one too."""
    return [*words(config), *SLOW, str(CUT_IN[config][:cuts])]


class Jobs:
    """The jobs of one user in one folder.

    Args:
        cluster: where they run.
        folder: their working directory.
    """

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {"PATH": path, "PYTHONPATH": f"{ROOT}:{KIT}"}

    def put(self, name, script):
        """Put a program before all others of its name."""
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)
        self._environment["PATH"] = f"{self.folder}:{self._environment['PATH']}"

    def call(self, *given):
        """Run a command on the head node."""
        return self.cluster.call(given, self.folder, LONG, **self._environment)

    def submit(self, *given):
        """Return the number of a new job."""
        done = self.call("sbatch", "--parsable", *given)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def fit(self, config, given, *options, array="0"):
        """Submit the shipped file."""
        return self.submit(*SHAPE, f"--array={array}", *options, SCRIPT, config, *given)

    def said(self):
        """Return all that the jobs said."""
        return "\n".join(f.read_text(errors="replace") for f in self.folder.glob("slurm-*"))

    def told(self):
        """Return what helps to understand a test that waits in vain."""
        return f"{self.call('squeue').stdout}\n{self.said()}\n{self.cluster.log('slurmctld')}"

    def wait(self, job, *states):
        """Wait until a job is in one of the states, and return what is known of it."""
        return until(
            lambda: (known := self.cluster.show(job)).get("JobState") in states and known,
            LONG,
            self.told,
        )

    def finished(self, job):
        """Wait for the good end of a job, which is started again where it waits for that."""
        ends = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")
        while True:
            known = self.wait(job, "PENDING", *ends)
            if known["JobState"] != "PENDING":
                assert known["JobState"] == "COMPLETED", self.told()
                return known
            self.cluster.restart_now(job)
            self.wait(job, "RUNNING", *ends)

    def reached(self, name):
        """Wait until a run, whose name may hold a *, is at the step where it takes its time."""
        until(lambda: list(self.folder.glob(f"reached-{name}")), LONG, self.told)

    def until_there(self, *files):
        """Wait for files in the working directory."""
        until(lambda: all((self.folder / file).exists() for file in files), LONG, self.told)

    def runs(self, name):
        """Return the folders of the runs of that name."""
        return sorted((self.folder / "runs" / name).iterdir())


def assert_equal_end(run, reference):
    """Stop unless two runs ended with the same bits: weights, states, tests and metrics.csv."""
    assert_same_end(run, reference)
    assert rows(run) == rows(reference)
