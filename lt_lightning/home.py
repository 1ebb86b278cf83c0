"""Paths as a user writes them: `~` is a home folder."""

from pathlib import Path

from lt_lightning.errors import UserError


def home(path: str | Path) -> Path:
    """Return a path whose leading `~` or `~user` is the folder that it stands for.

    Raises:
        UserError: if there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"{path} begins with the home folder of a user that is not known here: give the whole "
            "path."
        ) from error
