"""The runs of a sweep as jobs of SLURM, by submitit, which also runs them as plain processes."""

import subprocess
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import SLURM, Job
from lt_lightning.sweep.local import LT, command
from lt_lightning.sweep.state import Kind, forget_unborn


class OneRun:
    """One run, begun or gone on with; this is what a node does.

    At the time limit submitit calls `checkpoint`, and the job is requeued as what that returns.

    Args:
        job: the run.
        root: the folder of the sweep.
    """

    _process: "subprocess.Popen[bytes] | None" = None  # not a part of what is sent to the node

    def __init__(self, job: Job, root: Path) -> None:
        self.job, self.root = job, root

    def __call__(self) -> None:
        """Run it to its end.

        Raises:
            RuntimeError: if it failed, so that what waits for it does not start.
        """
        if self.job.post_hoc is None:
            forget_unborn(self.job.folder(self.root))
        words = [*LT, *command(self.job, self.root)]
        OneRun._process = subprocess.Popen(words)
        status = OneRun._process.wait()
        if status:
            raise RuntimeError(f"{self.job.id} ended with status {status}")

    def checkpoint(self) -> Any:
        """Let the run save its state, and return what goes on with it."""
        from submitit.helpers import DelayedSubmission

        if OneRun._process is not None:
            OneRun._process.terminate()
            OneRun._process.wait()
        return DelayedSubmission(OneRun(self.job, self.root))


def submit(board: Board, options: dict[str, Any], cluster: str = "slurm") -> dict[str, str]:
    """Submit the runs that are left, and return the numbers of their jobs.

    A run that takes over what another has trained waits for its job (afterok).

    Args:
        board: the states of the runs.
        options: of the scheduler, as submitit takes them: timeout_min, slurm_partition and others.
        cluster: "slurm"; "local" runs them as processes of this machine.

    Raises:
        UserError: if submitit is not there, or an option or the scheduler is none.
    """
    try:
        import submitit
    except ImportError as error:
        raise UserError(
            "--launcher slurm needs submitit: pip install 'lt_lightning[slurm]'."
        ) from error
    try:
        executor = submitit.AutoExecutor(folder=board.root / SLURM, cluster=cluster)
        found: dict[str, str] = {}
        for job in board.left():
            if board.states[job.id].kind is Kind.RUNNING:
                continue
            waits = found.get(job.needs or "")
            more = {"slurm_additional_parameters": {"dependency": f"afterok:{waits}"}}
            name = job.id.replace("/", "-")
            executor.update_parameters(**options, name=name, **(more if waits else {}))
            found[job.id] = str(executor.submit(OneRun(job, board.root.resolve())).job_id)
    except (RuntimeError, NameError, ValueError, TypeError, OSError) as error:
        raise UserError(f"SLURM did not take the runs ({error}): see lt sweep --help.") from error
    return found
