"""Where a run lies: runs/<name>/<version>/, never overwritten, one command at a time."""

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path

from lt_lightning import shell
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import argv as words
from lt_lightning.runs import launch, leftovers, lock, origin
from lt_lightning.runs.disk import remedy
from lt_lightning.runs.results import FILE_NAME as RESULTS

PRETRAIN = "pretrain"  # the folder of a pre-training in that of its run
_LONGEST = 255  # bytes of a file's name
_LONGEST_PATH = 1000  # letters
_PATIENCE = 60.0  # seconds that a task waits for the folder which the first one makes


def run_name(argv: Sequence[str], method: str) -> str:
    """Return the default name of a run: its config files, without trainer and logger fragments."""
    files = [Path(file) for file in words.files(argv)]
    stems = [file.stem for file in files if file.parent.name not in ("trainer", "logger")]
    return "-".join(stems) or method.lower()


def check_names(root: str, name: str, version: str | None) -> None:
    """Refuse what is no name of one folder: a run lies in runs/<name>/<version>/.

    Raises:
        Refused: if a name is empty, leads elsewhere, or cannot be written.
    """
    if not root or "\0" in root:
        raise Refused(f"runs is {root!r}: give the folder of all runs.", "runs")
    for key, value in (("name", name), ("version", version)):
        if value is None:
            continue
        if value in ("", ".", "..") or "/" in value or os.sep in value or not value.isprintable():
            raise Refused(f"{key} is {value!r}: give the name of one folder, such as seed-1.", key)
        if len(value.encode()) > _LONGEST:
            told = f"{value[:40]}..., {len(value.encode())} bytes long"
            raise Refused(f"{key} is {told}: give --{key} of {_LONGEST} bytes at most.", key)


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
    """Return the folder of a new run, which is made and locked at once: no other run takes it.

    The version is the SLURM job where there is one (a requeued job must find its own folder),
    else the next free number.

    Raises:
        UserError: if the version was asked for, or belongs to the job, and holds a run already;
            if no folder can be made there.
    """
    folder = launch.agree("new", lambda: _new(root / name, version))
    assert folder is not None
    return folder


def _new(runs: Path, version: str | None) -> Path:
    job = launch.slurm_job()
    if version is None and job is None:
        if launch.started_one_by_one():
            raise _cannot_agree()
        folder = _next_number(runs)
        occupy(folder)
        return folder
    if not launch.is_first():  # the first one may be at work already
        return runs / version if version else _of_job(runs, str(job), wait=True)
    if version is None:
        plain = runs / origin.name_in(str(job))
        _make(plain)
        if leftovers.is_unborn(plain):
            origin.claim(plain)  # the first command in the job has the plain name
    folder = runs / version if version else _of_job(runs, str(job))
    _make(folder)
    occupy(folder)
    if launch.restarts():
        origin.check(folder)
    elif leftovers.is_unborn(folder):
        leftovers.empty(folder)
    elif not origin.is_begun(folder):
        raise _is_there(folder)
    origin.claim(folder)
    return folder


def _cannot_agree() -> UserError:
    if launch.by_torchrun():
        return UserError(
            "The processes of torchrun have no store in which to agree on a run folder "
            "(TORCH_DISABLE_SHARE_RDZV_TCP_STORE): give --version."
        )
    return UserError(
        "The processes were started one by one and cannot agree on a run folder: give --version, "
        "or start them by torchrun."
    )


def _is_there(folder: Path) -> UserError:
    goes_on = ", or go on with it by --ckpt_path last" if has_checkpoint(folder) else ""
    return UserError(
        f"The run folder {folder} exists and is never overwritten: give another --version{goes_on}."
    )


def _of_job(runs: Path, job: str, wait: bool = False) -> Path:
    """Return the folder of this command in a job.

    The first command of a name has slurm-<job>, others their own digest behind it; so each finds
    its own when the job is started again, and the tasks of one command find the same.
    """
    plain = runs / origin.name_in(job)
    own = runs / f"{plain.name}-{origin.digest()}"
    until = time.monotonic() + _PATIENCE
    while wait and not (origin.is_known(plain) or own.is_dir()) and time.monotonic() < until:
        time.sleep(0.1)
    return own if own.is_dir() or origin.is_other(plain) else plain


def occupy(folder: Path, option: str = "--version") -> None:
    """Keep other commands out of a run folder until this one ends.

    Raises:
        UserError: if another command is at work in it.
    """
    if launch.is_first():
        _make(folder)
        lock.take_folder(folder, option)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_be_made(folder, error) from error


def _cannot_be_made(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"The run folder {folder} cannot be made ({error.strerror or error}): "
        f"{remedy(error, 'check the path and its permissions, or give another --runs')}."
    )


def _next_number(runs: Path) -> Path:
    while True:
        _make(runs)  # each time: a run that was refused takes the folders away that it leaves empty
        folder = free_number(runs)
        try:
            folder.mkdir()
        except (FileExistsError, FileNotFoundError):  # another command was here
            continue
        except OSError as error:
            raise _cannot_be_made(folder, error) from error
        else:
            origin.claim(folder)
            return folder


def free_number(runs: Path) -> Path:
    """Return the first numbered folder below `runs` that is not there; it is not made."""
    numbered = (runs / str(number) for number in itertools.count())
    return next(folder for folder in numbered if not os.path.lexists(folder))


def last_run(root: Path, name: str, version: str | None) -> Path | None:
    """Return the newest run of that name that has a checkpoint, or none.

    In a SLURM job its own run comes first, whatever else ran since; those of the job's other
    commands are left to them.
    """
    job, runs = launch.slurm_job(), root / name
    candidates = versions(runs) if version is None else [runs / version]
    if job is not None and version is None:
        of_others = [folder for folder in candidates if _is_in_job(folder, job)]
        candidates = [folder for folder in candidates if folder not in of_others]
        candidates.append(_of_job(runs, job))
    found = (folder for folder in reversed(candidates) if has_checkpoint(folder))
    return launch.agree("last", lambda: next(found, None), has_checkpoint)


def _is_in_job(folder: Path, job: str) -> bool:
    return folder.name == f"slurm-{job}" or folder.name.startswith(f"slurm-{job}-")


def started_again(root: Path, name: str, version: str | None) -> Path | None:
    """Return the run of this command, where its job was started again and there is a checkpoint.

    A scheduler that requeues a job starts the same command, which says nothing of going on. So
    does torchrun, after a crash and, without counting, whenever a node comes or goes; there the
    run is known by its --version, or after a crash by the --rdzv-id.

    Raises:
        UserError: if the version is that of another command.
    """
    runs, job = root / name, launch.slurm_job()
    if version is None and job is None:
        asked = launch.restarts() > 0 and launch.torchrun_id() is not None
        return launch.agree("again", lambda: _of_torchrun(runs), has_checkpoint) if asked else None
    folder = runs / version if version else _of_job(runs, str(job))
    if launch.restarts():
        origin.check(folder)
    elif launch.torchrun_id() is None:
        return None
    # What lies there is looked at by the first process alone: it claims the folder of a new run.
    return launch.agree("again", lambda: _begun(folder), has_checkpoint)


def _of_torchrun(runs: Path) -> Path | None:
    """Return the run that the same torchrun began last, if it is of this command."""
    known = [folder for folder in versions(runs) if origin.is_of_this_torchrun(folder)]
    return _begun(known[-1]) if known and not origin.is_other(known[-1]) else None


def _begun(folder: Path) -> Path | None:
    return folder if origin.is_begun(folder) and has_checkpoint(folder) else None


def checkpoint_of(folder: Path | None) -> Path | None:
    """Return the last checkpoint of a run, or none."""
    file = None if folder is None else folder / "checkpoints" / "last.ckpt"
    return file if file is not None and file.is_file() else None


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run, or its pre-training, can go on."""
    return any(checkpoint_of(part) is not None for part in (folder, folder / PRETRAIN))


def goes_on() -> str:
    """Return how the run of this command goes on after it was cut, for what the user is told."""
    folder, words = launch.known(), "last"
    if folder is None and (folder := lock.first_held()) is not None:
        words = shell.word(folder)  # the run was given by its path
    if folder is not None and has_checkpoint(folder):
        return f"`--ckpt_path {words}` goes on from the last checkpoint"
    return "it has no checkpoint yet, start it again"


def forget_own() -> None:
    """Forget the folder of an earlier command in this process; a child keeps its parent's."""
    launch.forget_own()


def of_run(path: str, best: bool = False) -> tuple[Path, Path]:
    """Return the run folder and the checkpoint that RUN names: a run folder or a checkpoint.

    Raises:
        UserError: if there is none.
    """
    longest = max(map(len, os.fsencode(path).split(b"/")))
    if not path or longest > _LONGEST or len(path) > _LONGEST_PATH:
        told = path[:40] and f"{path[:40]}..., {len(path)} letters long"
        raise UserError(f"RUN is {told!r}: give a run folder, such as runs/bbn-digits/0.")
    if "://" in path:
        raise UserError(f"{path} is a URL: fetch the run first, a checkpoint is read from disk.")
    given = Path(path)
    # last.ckpt alone is one too, from within the folder.
    saved = Path(os.path.abspath(given)) if given.parent.name in ("", "..") else given
    if given.is_file() and saved.parent.name == "checkpoints":
        return saved.parent.parent, given
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
        told = "it stopped before the first one, start it again"
        if (folder / RESULTS).is_file():
            told = "it was tested and has lost it, put it back or train the run again"
        raise UserError(f"The run {folder} has no {checkpoint.name}: {told}.")
    return folder, checkpoint
