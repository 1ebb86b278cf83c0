"""Folders that a command leaves with nothing of worth: they would keep a name for nothing."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from lt_lightning.runs import launch, lock, origin

_PART = ".part"  # of a file that is being written
START = ("config.yaml", origin.FILE, lock.LOCK)  # what a run has before it has anything of worth


def give_back() -> None:
    """Remove the folder of a run that ended with nothing of worth, and what is empty above.

    A run that is refused while it is set up has its config there already; it would keep the name.
    """
    folder = launch.known()
    if folder is None or not launch.is_first() or lock.is_gone(folder):
        return
    if forget(folder, START):
        with suppress(OSError):
            for level in (folder.parent, folder.parent.parent):
                level.rmdir()


def forget(folder: Path, known: Collection[str]) -> bool:
    """Remove a folder that holds nothing else than what a command begins with.

    Args:
        folder: to remove; one that holds another file stays as it is, whoever made that.
        known: names of such files, at any level; half-written ones count too.

    Returns:
        Whether it is gone.
    """
    inside = sorted(folder.rglob("*"), reverse=True)  # what is in a folder before the folder
    files = [path for path in inside if path.is_symlink() or not path.is_dir()]
    if any(path.name not in known and path.suffix != _PART for path in files):
        return False
    with suppress(OSError):
        for path in inside:
            path.unlink() if path in files else path.rmdir()
        folder.rmdir()
    return not folder.exists()
