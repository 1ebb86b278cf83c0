"""Whether a run that goes on is the one that it was: what may differ is listed, no more."""

from collections.abc import Mapping
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs.fits import difference
from lt_lightning.runs.watching import compared

# What may differ, as the command line writes it. Of these nothing of what was trained depends.
ASIDE = (
    # where the run lies, and how it was called
    "config", "runs", "name", "version", "ckpt_path", "checkpoint.every_n_steps",
    # what is tested after it
    "trainer.limit_test_batches", "trainer.limit_predict_batches", "trainer.fast_dev_run",
    "post_hoc", "data.test_root", "test_on",
    # how fast images are read
    "data.workers", "data.eval_batch_size",
    # what looks on
    "trainer.logger", "trainer.log_every_n_steps", "trainer.num_sanity_val_steps",
    "trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.profiler",
    "trainer.detect_anomaly", "trainer.enable_autolog_hparams", "trainer.model_registry",
    # the images by their place; which ones they are is told by their fingerprint
    "data.root", "data.source.download",
    # weights that the run began with and that are behind it; other runs are told by their names
    "pretrain",
)  # fmt: skip
_FREE = (
    *ASIDE,
    # how long it is
    "trainer.max_epochs", "trainer.min_epochs", "trainer.max_steps", "trainer.min_steps",
    "trainer.max_time",
    # where it runs, and how fast; precision is not among them
    "trainer.accelerator", "trainer.strategy", "trainer.devices", "trainer.num_nodes",
    "trainer.benchmark", "trainer.deterministic", "trainer.inference_mode",
    "model.channels_last", "model.compile",
)  # fmt: skip


def check_same_run(began: Mapping[str, Any], asked: Mapping[str, Any], run: str) -> None:
    """Refuse to go on with other options than those that the run began with.

    Args:
        began: the config that the run began with.
        asked: the config of the command at work.
        run: its folder, for the message.

    Raises:
        UserError: with the first option that differs.
    """
    found = difference(compared(began), compared(asked), "", _FREE)
    if found:
        key, have, want = found
        raise UserError(
            f"The run {run} began with {key} {have} but the config has {want}: use the config of "
            "that run, or start a new one."
        )
