"""Where a run lies: runs/<name>/<version>/, never overwritten."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import argv as words
from lt_lightning.runs import launch

PRETRAIN = "pretrain"  # the folder of a pre-training in that of its run


def run_name(argv: Sequence[str], method: str) -> str:
    """Return the default name of a run: its config files, without trainer and logger fragments."""
    files = [Path(file) for file in words.files(argv)]
    stems = [file.stem for file in files if file.parent.name not in ("trainer", "logger")]
    return "-".join(stems) or method.lower()


def versions(folder: Path) -> list[Path]:
    """Return the run folders below `folder`, the newest last."""
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.is_dir()]
    return sorted(found, key=lambda p: (_began(p), p.name))


def _began(folder: Path) -> float:
    """Return when a run began: a later test of it changes the folder, not its config."""
    config = folder / "config.yaml"
    return (config if config.is_file() else folder).stat().st_mtime


def new_folder(root: Path, name: str, version: str | None) -> Path:
    """Return the folder of a new run, which is made at once, so that no other run takes it.

    The version is the SLURM job where there is one (a requeued job must find its own folder),
    else the next free number.

    Raises:
        UserError: if the version was asked for, or belongs to the job, and holds a run already.
    """
    folder = launch.agree("new", lambda: _new(root / name, version))
    assert folder is not None
    return folder


def _new(runs: Path, version: str | None) -> Path:
    job = launch.slurm_job()
    if version is None and job is None:
        if launch.started_one_by_one():
            raise UserError(
                "The processes were started one by one and cannot agree on a run folder: give "
                "--version, or start them by torchrun."
            )
        return _next_number(runs)
    folder = runs / (version or f"slurm-{job}")
    # The other tasks of the job come here while the first one may be at work already.
    if launch.is_first() and not launch.restarts():
        if folder.is_dir() and any(folder.iterdir()):
            raise UserError(
                f"The run folder {folder} exists and is never overwritten: give another --version, "
                "or go on with it by --ckpt_path last."
            )
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _next_number(runs: Path) -> Path:
    number = 0
    while True:
        try:
            (runs / str(number)).mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return runs / str(number)


def last_run(root: Path, name: str, version: str | None) -> Path | None:
    """Return the newest run of that name that has a checkpoint, or none.

    In a SLURM job its own run comes first, whatever else ran since.
    """
    job = launch.slurm_job()
    own = [] if job is None else [root / name / f"slurm-{job}"]
    candidates = [*versions(root / name), *own] if version is None else [root / name / version]
    found = (folder for folder in reversed(candidates) if _has_checkpoint(folder))
    return launch.agree("last", lambda: next(found, None), _has_checkpoint)


def started_again(root: Path, name: str, version: str | None) -> Path | None:
    """Return the run of this job, where the job was started again and there is a checkpoint.

    A scheduler that requeues a job starts the same command, which says nothing of going on. So
    does torchrun with --max-restarts; there the run must have a --version to be known by.
    """
    job = launch.slurm_job()
    if not launch.restarts() or (version is None and job is None):
        return None
    folder = root / name / (version or f"slurm-{job}")
    return launch.agree(
        "again", lambda: folder if _has_checkpoint(folder) else None, _has_checkpoint
    )


def checkpoint_of(folder: Path | None) -> Path | None:
    """Return the last checkpoint of a run, or none."""
    file = None if folder is None else folder / "checkpoints" / "last.ckpt"
    return file if file is not None and file.is_file() else None


def _has_checkpoint(folder: Path) -> bool:
    """Return whether a run, or its pre-training, can go on."""
    return any(checkpoint_of(part) is not None for part in (folder, folder / PRETRAIN))


def forget_own() -> None:
    """Forget the folder of an earlier command in this process; a child keeps its parent's."""
    launch.forget_own()


def give_back() -> None:
    """Remove the folder of a run that ended before it wrote anything, and what is empty above."""
    folder = launch.known()
    with suppress(OSError):
        if folder is not None and launch.is_first():
            for level in (folder, folder.parent, folder.parent.parent):
                level.rmdir()


def of_run(path: str, best: bool = False) -> tuple[Path, Path]:
    """Return the run folder and the checkpoint that RUN names: a run folder or a checkpoint.

    Raises:
        UserError: if there is none.
    """
    if "://" in path:
        raise UserError(f"{path} is a URL: fetch the run first, a checkpoint is read from disk.")
    given = Path(path)
    if given.is_file() and given.parent.name == "checkpoints":
        return given.parent.parent, given
    if given.is_file():
        raise UserError(
            f"{path} lies in no run folder: give RUN, or RUN/checkpoints/last.ckpt, of a run that "
            "`lt fit` made."
        )
    if not given.is_dir():
        raise UserError(
            f"There is no run {path}: give a run folder, such as runs/bbn-digits/0, or a "
            "checkpoint in it."
        )
    folder = given
    if not (folder / "config.yaml").is_file():
        inner = [p for p in versions(folder) if (p / "config.yaml").is_file()]
        if not inner:
            raise UserError(f"{path} holds no config.yaml: give a run folder that `lt fit` made.")
        folder = inner[-1]
    checkpoint = folder / "checkpoints" / ("best.ckpt" if best else "last.ckpt")
    if best and not checkpoint.is_file():
        raise UserError(
            f"The run {folder} has no best.ckpt, which needs held-out images: leave out --best, or "
            "train with --data.holdout.fraction 0.1."
        )
    if not checkpoint.is_file():
        raise UserError(
            f"The run {folder} has no {checkpoint.name}: it stopped before the first one."
        )
    return folder, checkpoint
