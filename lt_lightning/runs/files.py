"""The one way a file of a run is written: whole or not at all."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from lt_lightning.errors import UserError


def write_whole(file: Path, content: bytes, again: str = "test the run again by `lt test`") -> None:
    """Write a file beside its final name, then rename it.

    Args:
        file: the final name.
        content: what it will hold.
        again: what the user does after having made room.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays.
    """
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
