"""The one way a file or folder is written, and read: whole or not at all."""

import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lt_lightning.errors import UserError
from lt_lightning.runs import lock
from lt_lightning.runs.disk import remedy

AGAIN = "test the run again by `lt test`"


def write_whole(file: Path, content: bytes, again: str = AGAIN) -> None:
    """Write a file beside its final name, then rename it.

    Args:
        file: the final name.
        content: what it will hold.
        again: what the user does after having made room.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays. If the run folder
            was removed meanwhile.
    """
    with whole_file(file, again) as stream:
        stream.write(content)


@contextmanager
def whole_file(file: Path, again: str = AGAIN) -> Iterator[BinaryIO]:
    """Give a stream for a file that gets its name at the end, where nothing was raised.

    Args:
        file: the final name.
        again: what the user does after having made room.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays. If the run folder
            was removed meanwhile.
    """
    aside = beside(file)
    try:
        with _told(file, again):
            file.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as stream:
                yield stream
            give_name(aside, file)
    finally:
        with suppress(OSError):
            aside.unlink()


@contextmanager
def whole_folder(folder: Path, again: str) -> Iterator[Path]:
    """Give a folder to fill, which gets its name at the end, where nothing was raised.

    Args:
        folder: the final name, of what is absent or an empty folder.
        again: what the user does after having made room.

    Raises:
        UserError: if the disk refuses it; nothing is left behind then.
    """
    aside = beside(folder)
    try:
        with _told(folder, again):
            aside.mkdir(parents=True)
            yield aside
            os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_whole(file: Path, most: int) -> str:
    """Return the text of a regular file.

    Args:
        file: the file.
        most: bytes; a larger one is not read, for it is none that `lt` wrote.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is a folder, pipe or device, too large, or no UTF-8.
    """
    about = file.stat()
    if not stat.S_ISREG(about.st_mode):  # to open a pipe waits for ever
        raise ValueError("it is no regular file")
    if about.st_size > most:
        raise ValueError(f"it has {about.st_size:,} bytes, more than {most:,}")
    return file.read_text(encoding="utf-8")


def beside(path: Path) -> Path:
    """Return where to write what will be `path`: hidden, on the same disk, no other writer's."""
    return path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex[:8]}.part")


def give_name(aside: Path, file: Path) -> None:
    """Give a written file its final name, once the disk has it.

    Raises:
        OSError: if the disk refuses it.
    """
    with aside.open("rb") as stream:
        os.fsync(stream.fileno())  # so that the name never points to an empty file
    os.replace(aside, file)


def problem_of(error: OSError) -> str:
    """Return what the disk said."""
    return str(error.strerror or error)


@contextmanager
def _told(path: Path, again: str) -> Iterator[None]:
    """Turn an error of the disk into one sentence, and make no half of a removed run folder."""
    lock.check(path)
    try:
        yield
    except OSError as error:
        found = remedy(error, "check the path")
        raise UserError(
            f"{path} could not be written ({problem_of(error)}): {found} and {again}."
        ) from error
