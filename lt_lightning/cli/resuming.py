"""What the command works out for a run that goes on."""

import logging
from pathlib import Path
from typing import Any

import torch

from lt_lightning.errors import Finished
from lt_lightning.post_hoc import PostHoc
from lt_lightning.runs import fitted
from lt_lightning.runs.config import began_with
from lt_lightning.runs.finished import is_tested, is_trained
from lt_lightning.runs.results import FILE_NAME, read_results
from lt_lightning.runs.same_run import check_same_run

log = logging.getLogger("lt_lightning")


def native_bf16() -> bool:
    """Return whether this CPU computes in bfloat16 itself; emulated, it is many times slower."""
    return (
        bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()
    )


def settle_precision(trainer: Any, run: Path | None) -> None:
    """Choose the precision where none was given: that of the run, or what the CPU is fast in.

    Args:
        trainer: the parsed options of the trainer.
        run: the folder of the run that goes on, perhaps from another machine; none for a new one.
    """
    if trainer.precision is None and run is not None:
        began = began_with(run).get("trainer")
        trainer.precision = began.get("precision") if isinstance(began, dict) else None
    if trainer.precision is None and trainer.accelerator in ("auto", "cpu"):
        no_gpu = trainer.accelerator == "cpu" or not torch.cuda.is_available()
        trainer.precision = "bf16-mixed" if no_gpu and native_bf16() else "32-true"


def check(
    run: Path | None, content: dict[str, Any], asked: dict[str, Any], change: PostHoc | None
) -> None:
    """Refuse to go on as another run, and leave a finished one as it is.

    Args:
        run: its folder.
        content: its checkpoint.
        asked: the config of the command at work, as plain values.
        change: after training, which is tested too.

    Raises:
        UserError: if an option differs that is no matter of place, speed or length.
        Finished: if nothing is left to train or to test.
    """
    assert run is not None
    check_same_run(began_with(run), asked, str(run))
    trainer = asked["trainer"]
    trained = is_trained(content, trainer["max_epochs"], trainer["max_steps"])
    if trained and _is_tested(run, asked, change):
        log.info(
            "The run %s is finished, nothing was changed: give more --trainer.max_epochs to go on "
            "with it.",
            run,
        )
        raise Finished(run)


def _is_tested(run: Path, asked: dict[str, Any], change: PostHoc | None) -> bool:
    if change is None or not (run / FILE_NAME).is_file():
        return is_tested(run, asked)
    values = change.of_files(read_results(run)["data"]["class_names"])
    return is_tested(run, asked, change.options(), fitted.as_json(values))
