"""One command at a time in a run folder, and at one output.

The lock is of the kernel (fcntl.lockf): it goes with its process, however that ends, and neither
a DataLoader's worker nor another child inherits it. Of the processes of one run the first takes it.
"""

import errno
import logging
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import launch
from lt_lightning.runs.disk import remedy

log = logging.getLogger("lt_lightning")
LOCK = ".lock"  # in a run folder
_TAKEN = (errno.EACCES, errno.EAGAIN)


@dataclass(frozen=True)
class _Held:
    """A lock that this process holds: descriptors of the file, and of the folder that it is in."""

    file: int
    folder: int  # while it is open no other folder gets its inode


_held: dict[Path, _Held] = {}


def take_folder(folder: Path, option: str = "--version") -> None:
    """Keep other commands out of a run folder until `release`; once more does nothing.

    Args:
        folder: the folder.
        option: what gives another one.

    Raises:
        UserError: if another command is at work in it, or if it cannot be written to.
    """
    try:
        _take(folder / LOCK, f"The run folder {folder} is in use", option)
    except OSError as error:
        raise UserError(
            f"The run folder {folder} cannot be written to ({error.strerror or error}): "
            f"{remedy(error, 'check its permissions')}."
        ) from error


def first_held() -> Path | None:
    """Return the run folder that this process took first and holds, or none."""
    return next((file.parent for file in _held if file.name == LOCK), None)


def take_output(out: Path) -> None:
    """Keep other commands from writing `out`, a file or a folder, until `release`.

    Raises:
        UserError: if another command writes it, or if nothing can be written there.
    """
    if not out.name:
        raise UserError(f"--out is {str(out)!r}: give the name of a new file or folder.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _take(out.with_name(f".{out.name}{LOCK}"), f"--out {out} is being written", "--out")
    except OSError as error:
        raise UserError(
            f"--out {out} cannot be written ({error.strerror or error}): "
            f"{remedy(error, 'give another file')}."
        ) from error


def is_held(folder: Path) -> bool:
    """Return whether another command is at work in a run folder; nothing is taken or written."""
    file = Path(os.path.realpath(folder)) / LOCK  # a link to itself is none, and no error either
    if sys.platform == "win32" or file in _held or not os.path.isfile(file):
        return False  # to close a descriptor of what this process holds would let others in
    with suppress(OSError):
        opened = os.open(file, os.O_RDWR)
        try:
            os.lockf(opened, os.F_TEST, 0)
        except OSError as error:
            return error.errno in _TAKEN
        finally:
            os.close(opened)
    return False


def is_gone(path: Path) -> bool:
    """Return whether the run folder that holds `path` was removed since this process took it."""
    return any(_is_other(file.parent, held.folder) for file, held in _around(path))


def check(path: Path) -> None:
    """Refuse to write into a run folder that was removed, which would make half a run of it.

    Raises:
        UserError: if it was.
    """
    if is_gone(path):
        raise gone(path)


def gone(path: Path) -> UserError:
    """Return the refusal to write `path`."""
    return UserError(
        f"{path} cannot be written, for its run folder was removed or renamed while the run was at "
        "work: start the run again."
    )


def release() -> None:
    """Let other commands in again."""
    while _held:
        file, held = _held.popitem()
        with suppress(OSError):
            if not _is_other(file, held.file):
                file.unlink()
        for opened in (held.file, held.folder):
            with suppress(OSError):  # it is closed all the same; a failing disk ends a command thus
                os.close(opened)


def _around(path: Path) -> list[tuple[Path, _Held]]:
    whole = path.absolute()
    found = (whole, whole.parent.resolve() / whole.name)
    return [
        (file, held)
        for file, held in _held.items()
        if file.name == LOCK and any(one.is_relative_to(file.parent) for one in found)
    ]


def _take(file: Path, told: str, option: str) -> None:
    file = file.parent.resolve() / file.name
    if file in _held or not launch.is_first():
        return
    opened = _open(file)
    if opened is None:
        raise UserError(f"{told} by {_holder(file)}: wait until it ends, or give another {option}.")
    folder = os.open(file.parent, os.O_RDONLY)
    os.ftruncate(opened, 0)
    os.write(opened, f"process {os.getpid()} on {socket.gethostname()}".encode())
    _held[file] = _Held(opened, folder)


def _open(file: Path) -> int | None:
    """Return the locked file, or none where another process holds it."""
    while True:
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(opened, file):
            os.close(opened)
            return None
        if not _is_other(file, opened):
            return opened
        os.close(opened)  # released, and so removed, between the two


def _lock(opened: int, file: Path) -> bool:
    """Lock an open file, and return whether no other process holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        log.warning(
            "The file system of %s has no locks (%s): start no second command on it meanwhile.",
            file.parent,
            error.strerror,
        )
    return True


def _holder(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") or "another command"
    except (OSError, UnicodeDecodeError):
        return "another command"


def _is_other(path: Path, opened: int) -> bool:
    """Return whether `path` is no longer what was opened."""
    try:
        return not os.path.samestat(os.stat(path), os.fstat(opened))
    except OSError:
        return True
