"""Weights of finished runs that were deleted: such a run is done, and nobody trains it again."""

from collections.abc import Iterable
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs.results import FILE_NAME as RESULTS
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.state import Kind, state_of


def are_gone(folder: Path, part: str, checkpoint: str) -> bool:
    """Return whether a run has results, but a checkpoint of it is not there any more.

    Args:
        folder: the run folder.
        part: the folder in it that the checkpoint is of, that of a pre-training say; or nothing.
        checkpoint: its name, "last" or "stage1".
    """
    file = folder / part / "checkpoints" / f"{checkpoint}.ckpt"
    return (folder / RESULTS).is_file() and not file.is_file()


def check_tests(jobs: Iterable[Job], root: Path) -> None:
    """Refuse a test that is still to be done of weights that are gone.

    Args:
        jobs: the plan.
        root: the folder of the sweep.

    Raises:
        UserError: if there is one.
    """
    for job in jobs:
        folder = job.folder(root)
        if job.post_hoc is None or not are_gone(folder, "", "last"):
            continue
        if state_of(job, root).kind is not Kind.DONE:
            raise UserError(
                f"{job.post_hoc} cannot be tested on {job.needs}, whose last.ckpt is gone: put it "
                f"back, leave out that change, or move {folder} away to train it again."
            )
