"""The runs of a sweep as jobs of SLURM, by submitit, which also runs them as plain processes."""

import getpass
import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused, UserError, one_sentence
from lt_lightning.runs import warning
from lt_lightning.sweep.begun import has_begun, taken_over
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import SLURM, Job
from lt_lightning.sweep.local import LT, command
from lt_lightning.sweep.record import Submitted
from lt_lightning.sweep.state import Kind

_PATIENCE = 60.0  # seconds for an answer of squeue
_NEVER = "DependencyNeverSatisfied"  # what squeue says of a job that waits for one that failed
_FILE = "_submitted.pkl"
_MORE, _DEPENDENCY = "slurm_additional_parameters", "slurm_dependency"


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
            folder = self.job.folder(self.root)
            if has_begun(folder) and taken_over(self.job, self.root) is None:
                raise RuntimeError(f"{folder} holds the run of another command")
        words = [*LT, *command(self.job, self.root)]
        with warning.withheld():  # submitit requeues the job, and ends the run first
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


def submit(board: Board, options: Mapping[str, Any], cluster: str = "slurm") -> dict[str, str]:
    """Submit the runs that are left, and return what became of each.

    A run that takes over what another has trained waits for its job (afterok), and the tests of
    one run wait for each other (afterany). A run whose job of an earlier start is still in the
    queue, or at work, is not submitted again.

    Args:
        board: the states of the runs.
        options: of the scheduler, as submitit takes them: timeout_min, slurm_partition and others.
        cluster: "slurm"; "local" runs them as processes of this machine.

    Raises:
        Refused: if an option cannot be passed on.
        UserError: if submitit is not there, if an option or the scheduler is none, or if a run
            waits in the queue with other options.
    """
    try:
        import submitit
    except ImportError as error:
        raise UserError(
            "--launcher slurm needs submitit: pip install 'lt_lightning[slurm]'."
        ) from error
    plain, more = _parted(options)
    _keep_queued(board)
    known, told = board.record.submitted, {}
    try:
        executor = submitit.AutoExecutor(folder=board.root / SLURM, cluster=cluster)
        for job in board.left():
            waits = _waits(job, board)
            if job.id in known:
                told[job.id] = f"job {known[job.id].number}, submitted before"
            elif board.states[job.id].kind is Kind.RUNNING:
                told[job.id] = "at work outside the queue"
            elif waits is None:
                told[job.id] = f"waits for {job.needs}, start the sweep again when that is done"
            else:
                # Also where there is nothing to wait for: submitit keeps what was set before.
                name = job.id.replace("/", "-")
                executor.update_parameters(**plain, name=name, **{_MORE: _with(more, waits)})
                number = str(executor.submit(OneRun(job, board.root.resolve())).job_id)
                known[job.id] = Submitted(number, _of(job))
                board.record.write(board.root)
                told[job.id] = f"job {number}"
    # The last is what submitit says of an option of another type.
    except (RuntimeError, NameError, ValueError, TypeError, OSError, AssertionError) as error:
        said = one_sentence(str(error)).rstrip(".")
        raise UserError(f"SLURM did not take the runs ({said}): mend that, or --slurm.") from error
    return told


def _parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options, and what goes to sbatch as it is, with a dependency of the user."""
    plain = dict(options)
    more = plain.pop(_MORE, {})
    if not isinstance(more, dict):
        raise Refused(f"--slurm {_MORE} is {more!r}: give keys and values, '{{account: x}}', say.")
    if _DEPENDENCY in plain:
        more = _with(more, str(plain.pop(_DEPENDENCY)))
    return plain, dict(more)


def _with(more: Mapping[str, Any], waits: str) -> dict[str, Any]:
    """Return what goes to sbatch, with one more dependency; empty for none."""
    if not waits:
        return dict(more)
    given = f"{more['dependency']}," if more.get("dependency") else ""
    return {"kill-on-invalid-dep": "yes", **more, "dependency": f"{given}{waits}"}


def _waits(job: Job, board: Board) -> str | None:
    """Return what a job waits for as sbatch takes it; none where that is not in the queue."""
    known, found = board.record.submitted, []
    if job.needs is not None and board.states[job.needs].kind is not Kind.DONE:
        if job.needs not in known:
            return None
        found.append(f"afterok:{known[job.needs].number}")
    same = [other.id for other in board.alike(job) if other.id not in (job.id, job.needs)]
    numbers = [known[other].number for other in same if other in known]
    if numbers:
        found.append(":".join(["afterany", *numbers]))
    return ",".join(found)


def _keep_queued(board: Board) -> None:
    """Forget the jobs that are no more in the queue.

    Raises:
        UserError: if the queue cannot be asked, if the job of a run has other words than now, or
            if one is there of which nothing is known.
    """
    known = board.record.submitted
    files = (board.root / SLURM).glob(f"*{_FILE}")  # what submitit leaves for each job
    ever = {file.name.removesuffix(_FILE) for file in files}
    queue = _queue() if known or ever else set()
    lost = sorted((queue & ever) - {found.number for found in known.values()})
    if lost:
        raise UserError(
            f"The queue has jobs of this sweep that its sweep.json does not know, {', '.join(lost)}"
            f": scancel {' '.join(lost)} first, or put back the sweep.json that was deleted."
        )
    for run in [run for run, found in known.items() if found.number not in queue]:
        del known[run]
    for job in board.left():
        if job.id in known and known[job.id].of != _of(job):
            number = known[job.id].number
            raise UserError(
                f"The run {job.id} is in the queue as job {number} with other options: scancel "
                f"{number} first, or give the sweep another --name."
            )


def _queue() -> set[str]:
    """Return the numbers of the user's jobs that wait, or are at work."""
    program, said = shutil.which("squeue"), "it is not on the PATH"
    if program is not None:
        words = [program, "--noheader", "--format=%A %r", "--user", getpass.getuser()]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = str(error)
        else:
            if done.returncode == 0:
                lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
                return {line[0] for line in lines if line and line[-1].strip("()") != _NEVER}
            said = done.stderr.strip()
    raise UserError(
        f"squeue does not say which jobs of the sweep are still there ({said}): start it again "
        "where squeue answers."
    )


def _of(job: Job) -> str:
    """Return what stands for the words of a run."""
    told = json.dumps([job.words, job.shared, job.post_hoc])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
