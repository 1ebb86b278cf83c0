"""Where a run lies: runs/<name>/<version>/, never overwritten."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from lt_lightning.errors import UserError

_HANDED_DOWN = "LT_RUN_FOLDER"  # the processes that Lightning starts get the first one's answer


def run_name(argv: Sequence[str], method: str) -> str:
    """Return the default name of a run: its config files, without trainer and logger fragments."""
    files = [Path(value) for flag, value in pairwise(argv) if flag in ("--config", "-c")]
    files += [Path(a.split("=", 1)[1]) for a in argv if a.startswith("--config=")]
    stems = [file.stem for file in files if file.parent.name not in ("trainer", "logger")]
    return "-".join(stems) or method.lower()


def versions(folder: Path) -> list[Path]:
    """Return the run folders below `folder`, the newest last."""
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.is_dir()]
    return sorted(found, key=lambda p: (p.stat().st_mtime, p.name))


def new_folder(root: Path, name: str, version: str | None) -> Path:
    """Return the folder of a new run.

    The version is the SLURM job where there is one (a requeued job must find its own folder),
    else the next free number.

    Raises:
        UserError: if the version was asked for and holds a run already.
    """
    if _HANDED_DOWN in os.environ:
        return Path(os.environ[_HANDED_DOWN])
    job = os.environ.get("SLURM_JOB_ID")
    if version is not None:
        folder = root / name / version
        if folder.is_dir() and any(folder.iterdir()):
            raise UserError(
                f"The run folder {folder} exists and is never overwritten: give another --version, "
                "or go on with it by --ckpt_path last."
            )
    elif job is not None:
        folder = root / name / f"slurm-{job}"
    else:
        taken = {p.name for p in versions(root / name)}
        number = 0
        while str(number) in taken:
            number += 1
        folder = root / name / str(number)
    os.environ[_HANDED_DOWN] = str(folder)
    return folder


def last_run(root: Path, name: str, version: str | None) -> Path | None:
    """Return the newest run of that name that has a checkpoint, or none."""
    if _HANDED_DOWN in os.environ:
        return Path(os.environ[_HANDED_DOWN])
    if version is not None:
        candidates = [root / name / version]
    else:
        candidates = versions(root / name)
    for folder in reversed(candidates):
        if (folder / "checkpoints" / "last.ckpt").is_file():
            os.environ[_HANDED_DOWN] = str(folder)
            return folder
    return None


def forget_own() -> None:
    """Forget the folder of an earlier command in this process; a child keeps its parent's."""
    if "LOCAL_RANK" not in os.environ:
        os.environ.pop(_HANDED_DOWN, None)


def of_run(path: str, best: bool = False) -> tuple[Path, Path]:
    """Return the run folder and the checkpoint that RUN names: a run folder or a checkpoint.

    Raises:
        UserError: if there is none.
    """
    given = Path(path)
    if given.is_file() and given.parent.name == "checkpoints":
        return given.parent.parent, given
    if not given.is_dir():
        raise UserError(f"There is no run {path}: give a run folder, such as runs/bbn-digits/0.")
    folder = given
    if not (folder / "config.yaml").is_file():
        inner = [p for p in versions(folder) if (p / "config.yaml").is_file()]
        if not inner:
            raise UserError(f"{path} holds no config.yaml: give a run folder that `lt fit` made.")
        folder = inner[-1]
    checkpoint = folder / "checkpoints" / ("best.ckpt" if best else "last.ckpt")
    if not checkpoint.is_file():
        raise UserError(
            f"The run {folder} has no {checkpoint.name}: it stopped before the first one."
        )
    return folder, checkpoint
