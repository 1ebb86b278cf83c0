"""From an exception to one sentence, where a user caused it."""

import errno

from lt_lightning.errors import UserError


def explain(error: BaseException) -> str | None:
    """Return the sentence for `error`, or none where it is a bug of ours, with its traceback."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, UserError):
            return str(chain)
        chain = chain.__cause__ or chain.__context__
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; `--ckpt_path last` goes on from the last checkpoint."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"the disk is full ({error.filename or 'writing a checkpoint'}): free some space and go "
            "on with --ckpt_path last; the last complete checkpoint is kept."
        )
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be written or read: change its permissions or --runs."
    text = " ".join(str(error).split())
    if type(error).__name__ in ("OutOfMemoryError", "CUDAOutOfMemoryError"):
        return "the device is out of memory: give a smaller --data.batch_size, or more devices."
    if type(error).__name__ == "MisconfigurationException":
        return text
    if isinstance(error, RuntimeError) and "No space left" in text:
        return "the disk is full: free some space and go on with --ckpt_path last."
    return None
