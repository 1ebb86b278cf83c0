"""From an exception to one sentence, where a user caused it."""

import errno
import os
import re
from collections.abc import Iterator

from lt_lightning.cli.words import culprit
from lt_lightning.errors import UserError, one_sentence
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import peers
from lt_lightning.runs.disk import FULL

# A ValueError that is raised in these is about what the user asked of them.
_LIBRARIES = ("lightning.", "torch.optim.", "torch.utils.data.")
_CALLBACKS = "lightning.pytorch.callbacks."  # these raise a RuntimeError for a metric they lack
_RESTORING = "lightning.pytorch.trainer.connectors.checkpoint_connector"
# Of a disk, also where it does not say at which file.
_DISK = (errno.EIO, errno.EROFS, errno.ESTALE)
_NO_TEMPORARY = "No usable temporary directory"  # of Python's tempfile
_CONNECTION = ("DistBackendError", "DistNetworkError", "DistStoreError")
_MEMORY = ("OutOfMemoryError", "CUDAOutOfMemoryError")
# Torch has no class of its own for a CPU without memory.
_CPU_MEMORY = ("DefaultCPUAllocator", "Storage size calculation overflowed", "Invalid buffer size")
_COMPILER = ("torch._inductor.", "torch._dynamo.")
# What is left of an image is smaller than what a layer looks at.
_TOO_SMALL = ("greater than actual input size", "Output size is too small")


def explain(error: BaseException) -> str | None:
    """Return the sentence for `error`, or none where it is a bug of ours, with its traceback."""
    for link in _chain(error):
        if isinstance(link, UserError):
            return _from_worker(link)
        if isinstance(link, KeyboardInterrupt):
            return f"interrupted; {run_folder.goes_on()}."
        if _is_cpu_memory(link):  # of a class that jsonargparse builds, it is a cause
            return (
                "the memory of this machine is too small: give a smaller --data.batch_size, "
                "smaller images or a smaller network."
            )
        if isinstance(link, ModuleNotFoundError) and _raised_in(link).startswith("lightning."):
            missing = str(link).split(". ")[0]
            return f"{missing}: install the package, or leave out what needs it."
        if type(link).__module__.startswith(_COMPILER):
            first = next(iter(str(link).strip().splitlines()), "").rstrip(".")
            return (
                f"torch cannot compile the network here ({type(link).__name__}: {first}): leave "
                "out --model.compile."
            )
    found = _about(error)
    if found is not None:
        return found
    from lt_lightning.cli.words import named  # it loads Lightning, which a full disk lets nobody

    return named.sentence(error) or _about_request(error) or culprit.sentence(list(_chain(error)))


def _about(error: BaseException) -> str | None:
    """Return the sentence for an error of the machine or of another library."""
    text = one_sentence(str(error))
    if isinstance(error, OSError):
        return _about_file(error)
    if type(error).__name__ in _MEMORY:
        return "the device is out of memory: give a smaller --data.batch_size, or more devices."
    if isinstance(error, RuntimeError) and any(word in text for word in _TOO_SMALL):
        return (
            "the images are too small for this network: give a larger --data.source.image_size, or "
            "another network."
        )
    if isinstance(error, RuntimeError) and any(os.strerror(code) in text for code in FULL):
        return f"the disk is full: free some space; {run_folder.goes_on()}."
    if type(error).__name__ in _CONNECTION or (
        isinstance(error, RuntimeError) and "/gloo/" in text
    ):
        return (
            f"{peers.gone() or 'another process of the run'} is gone or out of reach, see what it "
            f"said; {run_folder.goes_on()}."
        )
    if isinstance(error, RuntimeError) and "loading state_dict" in text:
        return _about_weights(text)
    raised_in = _raised_in(error)
    if _is_restoring(error):
        return (
            f"the checkpoint does not fit the run that goes on ({type(error).__name__}: {text}): "
            "use the config of that run, or an older checkpoint."
        )
    if isinstance(error, RuntimeError | KeyError) and raised_in.startswith("torch.optim."):
        return (
            f"the optimizer cannot train this network, or not from this checkpoint "
            f"({text.rstrip('.')}): give another, such as --model.optimizer SGD."
        )
    if type(error).__module__.startswith("wandb."):
        return f"W&B cannot be used ({text.rstrip('.')}): give another logger, or leave it out."
    return None


def _about_request(error: BaseException) -> str | None:
    """Return what another library says of what was asked of it, where it says so."""
    text, raised_in = one_sentence(str(error)), _raised_in(error)
    about_request = (
        type(error).__name__ == "MisconfigurationException"
        or (isinstance(error, ValueError | ImportError) and raised_in.startswith(_LIBRARIES))
        or (isinstance(error, RuntimeError) and raised_in.startswith(_CALLBACKS))
    )
    return f"{text.rstrip('.!')}: change the config or the command line." if about_request else None


def _is_cpu_memory(error: BaseException) -> bool:
    told = isinstance(error, RuntimeError) and any(word in str(error) for word in _CPU_MEMORY)
    return told or isinstance(error, MemoryError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _from_worker(error: UserError) -> str:
    """Return the sentence of `error`, also where torch handed it on from a DataLoader worker."""
    text = str(error)
    if "Original Traceback" not in text:
        return text
    # The traceback ends with the name of the class, whichever it is, and what it says.
    return re.split(rf"\n(?:[\w.]+\.)?{type(error).__name__}: ", text)[-1].strip()


def _about_weights(text: str) -> str:
    """Return the sentence for weights that the network of the config cannot take."""
    found = re.search(r"(Missing|Unexpected) key\(s\) in state_dict: \"([^\"]+)\"", text)
    other = re.search(r"size mismatch for ([\w.]+)", text)
    what = (
        f"{found[1].lower()} {found[2]}"
        if found
        else f"size of {other[1] if other else 'a weight'}"
    )
    return (
        f"the checkpoint does not fit the network of the config ({what}): use the config that it "
        "was trained with."
    )


def _about_file(error: OSError) -> str | None:
    if error.errno in FULL:
        where = error.filename or "writing the run folder"
        return f"the disk is full ({where}): free some space; {run_folder.goes_on()}."
    if _NO_TEMPORARY in str(error.strerror):
        return "no folder for temporary files can be written to: free some space, or set TMPDIR."
    if error.filename is None and error.errno in _DISK:
        return (
            f"the disk failed ({error.strerror}) while a file was read or written: see to the "
            f"disk; {run_folder.goes_on()}."
        )
    if error.filename is None or error.strerror is None:
        return None
    return (
        f"{error.filename} cannot be used ({error.strerror}): check the path, its permissions and "
        "--runs."
    )


def _is_restoring(error: BaseException) -> bool:
    """Return whether Lightning was taking a checkpoint over when `error` was raised."""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module == _RESTORING and code.co_name.lstrip("_").startswith(("restore", "resume")):
            return True
        trace = trace.tb_next
    return False


def _raised_in(error: BaseException) -> str:
    """Return the name of the module that raised `error`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
