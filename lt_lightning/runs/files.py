"""The one way a file of a run is written, and read: whole or not at all."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import lock


def write_whole(file: Path, content: bytes, again: str = "test the run again by `lt test`") -> None:
    """Write a file beside its final name, then rename it.

    Args:
        file: the final name.
        content: what it will hold.
        again: what the user does after having made room.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays. If the run folder
            was removed meanwhile.
    """
    lock.check(file)
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, file)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        remedy = "free some space" if error.errno == errno.ENOSPC else "check the path"
        raise UserError(
            f"{file} could not be written ({error.strerror or error}): {remedy} and {again}."
        ) from error


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
