"""Whether a run has nothing left to do."""

from pathlib import Path
from typing import Any

from lt_lightning.runs.checkpoint import whole_epochs
from lt_lightning.runs.results import FILE_NAME, read_results


def is_trained(content: dict[str, Any], max_epochs: int, max_steps: int) -> bool:
    """Return whether a checkpoint is at the end of its training.

    Args:
        content: the checkpoint.
        max_epochs: how long the training is.
        max_steps: another limit; below 0 there is none.
    """
    return whole_epochs(content) >= max_epochs or 0 <= max_steps <= content["global_step"]


def is_tested(folder: Path, changed: bool) -> bool:
    """Return whether all checkpoints of a run were tested.

    Args:
        folder: the run folder.
        changed: whether a change after training is to be tested too.
    """
    if not (folder / FILE_NAME).is_file():
        return False
    tested = list(read_results(folder)["evaluations"])
    checkpoints = {file.stem for file in (folder / "checkpoints").glob("*.ckpt")}
    own = checkpoints & {"last", "best", "stage1"}
    return own <= {*tested} and (not changed or any(name.startswith("last+") for name in tested))
