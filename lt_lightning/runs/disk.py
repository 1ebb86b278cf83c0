"""What can be done about an error of a disk."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room: on the disk, for the user, in a file


def remedy(error: OSError, otherwise: str) -> str:
    """Return what the user does: make room where it is missing, else `otherwise`."""
    return "free some space" if error.errno in FULL else otherwise
