"""What the command works out for runs in two stages, and for those that build on another run."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from lt_lightning.callbacks import RunRecord
from lt_lightning.callbacks.training_progress import Trained
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule, TwoStage
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder

DEFAULT_EPOCHS = 200  # of the CIFAR experiments, where neither config nor method says


def settle(command: str, options: Any) -> None:
    """Fill in trainer.max_epochs from the stages, and find the checkpoint of stage1_ckpt.

    Only a fit needs that checkpoint; the run that it is of may be gone later.

    Raises:
        UserError: if stage1_ckpt names no run.
    """
    if not isinstance(options.trainer, Namespace) or not isinstance(options.model, Namespace):
        return  # refused later, in words
    given: Any = options.model.get("init_args") or {}
    lengths = [given.get("stage1_epochs"), given.get("stage2_epochs")]
    if given.get("stage1_ckpt"):
        if command == "fit":
            given["stage1_ckpt"] = str(run_folder.of_run(given["stage1_ckpt"])[1])
        lengths = lengths[1:]
    staged = all(length is not None and length > 0 for length in lengths)
    limited = options.trainer.get("max_steps", -1) > 0  # no length of a schedule follows from it
    if options.trainer.max_epochs is None and (staged or not limited):
        options.trainer.max_epochs = sum(lengths) if staged else DEFAULT_EPOCHS


def find_runs(options: Any, goes_on: bool) -> None:
    """Find the checkpoints of backbone_init and teacher, and read those that a fit starts from.

    Only the start of a fit needs them; the run that they are of may be gone when this one goes on.

    Raises:
        UserError: if one names no run, or cannot be used, and is needed.
    """
    given: Any = options.model.get("init_args") or {}
    for name in ("backbone_init", "teacher"):
        if given.get(name):
            with suppress(*([UserError] if goes_on else [])):
                given[name] = str(run_folder.of_run(given[name])[1])
    for name in () if goes_on else ("stage1_ckpt", "backbone_init", "teacher"):
        if given.get(name):
            checkpoint_file.read(given[name])  # refused before anything is written


def back_to_stage1(model: LongTailModule, record: RunRecord) -> bool:
    """Give `model` the weights that stage 2 began with, where they are of another run.

    Returns:
        Whether they can be tested: the file is still there, and its classifier is that of the
        config. A run of both stages has its own stage1.ckpt.
    """
    path = model.stage1_ckpt if isinstance(model, TwoStage) else None
    if path is None or not Path(path).is_file():
        return False
    assert isinstance(model, TwoStage)
    content = checkpoint_file.read(path)
    if not model.back_to_stage1(content, path):
        return False
    record.evaluation, record.tested = "stage1", (Path(path), Trained.of(content, path))
    return True
