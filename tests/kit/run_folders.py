"""Choosing a run folder as the first process of a command does."""

from lt_lightning.runs import folder as run_folder


def make_run(folder, checkpoint=True):
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").touch()
    if checkpoint:
        (folder / "checkpoints" / "last.ckpt").touch()
    return folder


def choose(runs, version=None):
    """Choose as the first process of a command does."""
    run_folder.forget_own()
    return run_folder.new_folder(runs, "ce", version)
