"""Reading image files: one at a time, or all at once in parallel with a cache."""

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from lt_lightning.data.pixels import Unclear, formats, rgb
from lt_lightning.data.reading import Reading
from lt_lightning.data.view import TrainingCrop, evaluation_view
from lt_lightning.errors import UserError
from lt_lightning.runs.files import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

log = logging.getLogger(__name__)
_SCREEN = Console(stderr=True)  # standard output has the answer of a command alone
_END = 4096  # bytes
_DECODER = 5  # counted up when the same file gives other pixels, so that old caches are not read
T = TypeVar("T")


class Unreadable(UserError):
    """An image that cannot be used.

    Args:
        sentence: names the file, the fault and the remedy in training.
        fault: what is wrong, after "The image FILE", for those with another remedy.
        remedy: what makes the picture usable as it is, where something does; else empty.
        passing: whether it is a fault of the machine, which may be gone the next time.
    """

    def __init__(
        self,
        sentence: str,
        fault: str = "cannot be read",
        remedy: str = "",
        passing: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.fault, self.remedy, self.passing = fault, remedy, passing


def cache_folder() -> Path:
    """Return where decoded images are kept: LT_CACHE, else the user's cache folder."""
    base = os.environ.get("LT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return Path(base) / "lt_lightning" if base else Path.home() / ".cache" / "lt_lightning"


def read_image(
    path: Path, size: int, crop_scale: float | None = None, reading: Reading = Reading()
) -> Tensor:
    """Read one image as uint8 (3, size, size).

    Args:
        path: the file.
        size: width and height in pixels.
        crop_scale: the least share of the area in a random resized crop; none gives the
            evaluation view (short side to 8/7 of `size`, middle crop; a small image that is not
            larger than `size` is resized only).
        reading: how the pixels are taken.

    Raises:
        Unreadable: if the file cannot be read; the message names it.
    """
    if crop_scale is None:
        return evaluation_view(picture_of(path, reading), size)
    crop = TrainingCrop(size, crop_scale, reading.upright)
    return crop.cut(picture_of(path, reading, crop.choose))


def picture_of(
    path: Path, reading: Reading, before: Callable[["Picture"], None] | None = None
) -> "Picture":
    """Return the picture of a file as red, green and blue, in its own size.

    Args:
        path: the file.
        reading: how the pixels are taken.
        before: called with the opened picture before its pixels are loaded; it may ask for fewer.

    Raises:
        Unreadable: if the file cannot be read; the message names it.
    """
    from PIL import Image

    try:
        if not path.is_file():  # to open a pipe waits for ever
            raise FileNotFoundError
        with Image.open(path, formats=formats()) as opened:
            if before is not None:
                before(opened)
            return rgb(opened, reading)
    except Unclear as unclear:
        sentence = f"The image {path} {unclear.fault}: {unclear.remedy}."
        raise Unreadable(sentence, unclear.fault, unclear.remedy) from unclear
    except Exception as error:  # at damaged data decoders raise nearly anything
        fault = f"cannot be read ({type(error).__name__})"
        raise Unreadable(
            f"The image {path} {fault}: replace or remove it, or set --data.source.unreadable "
            "skip.",
            fault,
            # Of a damaged file decoders raise an OSError too, without a number of the system.
            passing=isinstance(error, MemoryError)
            or (isinstance(error, OSError) and error.errno is not None),
        ) from error


def view_of(picture: "Picture", size: int, reading: Reading) -> Tensor:
    """Return the evaluation view of a picture of Pillow's, uint8 (3, size, size); see `read_image`.

    Raises:
        UserError: if its pixels cannot be read.
    """
    try:
        image = rgb(picture, reading)
    except Unclear as unclear:
        raise UserError(f"The picture {picture!r} {unclear.fault}: give another.") from unclear
    except Exception as error:  # it may be opened, and not read yet
        raise UserError(
            f"The picture {picture!r} cannot be read ({type(error).__name__}): give another."
        ) from error
    return evaluation_view(image, size)


def in_parallel(work: Callable[[Path], T], paths: list[Path], what: str) -> Iterable[T]:
    """Yield what `work` returns for each file, in their order, under a progress bar."""
    with ThreadPoolExecutor(max_workers=min(16, (os.cpu_count() or 1) + 2)) as pool:
        results = pool.map(work, paths)
        yield from track(
            results,
            total=len(paths),
            description=what,
            transient=True,
            console=_SCREEN,
            disable=not _SCREEN.is_terminal,  # elsewhere it would leave an empty line
        )


def cache_key(paths: list[Path], root: Path, extra: str) -> str:
    """Return a name for what is kept of these files; others if one of them is changed."""
    digest = hashlib.sha256(f"{_DECODER} {extra}".encode())
    for path in paths:
        digest.update(b"\0" + os.fsencode(path.relative_to(root)) + b"\0")
        try:
            stat = path.stat()
        except OSError:
            continue  # a link to nowhere; reading it gives the message
        # Sizes and dates can be equal in two folders, or before and after a change; the time of
        # the last change of the inode cannot be set.
        times = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        digest.update(repr(times).encode())
    return digest.hexdigest()[:32]


def decode_all(paths: list[Path], size: int, root: Path, reading: Reading) -> Tensor:
    """Decode all files into uint8 (N, 3, size, size), once; later calls read the cache.

    The cache is keyed by the names, sizes and times of the files, by `size` and by `reading`; it
    holds a check sum of the pixels.

    Raises:
        UserError: if a file cannot be read; the message names it.
    """
    cache = cache_folder() / f"{cache_key(paths, root, f'size={size} {reading}')}.npz"
    shape = (len(paths), 3, size, size)
    if (stored := _stored(cache, shape)) is not None:
        return torch.from_numpy(stored)
    images = torch.empty(shape, dtype=torch.uint8)
    decoded = in_parallel(
        lambda path: read_image(path, size, reading=reading),
        paths,
        f"Decoding {len(paths)} images",
    )
    for place, image in enumerate(decoded):
        images[place] = image
    array = images.numpy()
    keep(cache, lambda file: np.savez(file, images=array))
    return images


def _stored(cache: Path, shape: tuple[int, ...]) -> "np.ndarray[Any, Any] | None":
    """Return the images of a cache file, whose check sum is looked at; none if they cannot be."""
    if not cache.is_file():
        return None
    try:
        with cache.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            stored: np.ndarray[Any, Any] = file["images"]
    # An array alone, as older versions kept it, is no context: a TypeError.
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile):
        log.warning("The cache file %s is damaged and is made again.", cache)
        return None
    if stored.shape == shape and stored.dtype == np.uint8:
        return stored
    log.warning("The cache file %s holds other data and is made again.", cache)
    return None


def keep(cache: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file of the cache, whole or not at all; a failure is a warning."""
    try:
        with whole_file(cache) as file:
            write(file)
    except UserError as error:
        problem = error.__cause__
        log.warning("What was read of the images is not kept in %s: %s", cache.parent, problem)


def unreadable(paths: list[Path], root: Path, reading: Reading) -> set[Path]:
    """Return the files that cannot be read, after a warning that counts and names them."""
    what = f"unreadable {reading} {reader()}"
    cache = cache_folder() / f"{cache_key(paths, root, what)}.json"
    known = _known_numbers(cache, len(paths))
    if known is None:
        found = in_parallel(
            lambda path: _fault(path, reading), paths, f"Checking {len(paths)} images"
        )
        faults = {k: fault for k, fault in enumerate(found) if fault is not None}
        parts = [[k for k in faults if faults[k].passing == passing] for passing in (False, True)]
        text = json.dumps(parts).encode()
        keep(cache, lambda file: file.write(text))
        numbers = list(faults)
    else:
        lasting, passing = known  # those whose fault may have passed are looked at again
        numbers = [*lasting, *(k for k in passing if _fault(paths[k], reading) is not None)]
    bad = {paths[k] for k in numbers}
    if bad:
        log.warning(
            "%d of %d images cannot be read and are skipped, such as %s.",
            len(bad),
            len(paths),
            min(bad),
        )
    return bad


def digest_of_files(paths: list[Path], *, ends: bool = False) -> bytes:
    """Return a digest of the content of all files, in their order; kept in the cache.

    Args:
        paths: of the files.
        ends: take of each file its size, its first 4 kB and its last ones alone.

    Raises:
        UserError: if a file cannot be read.
    """
    root = Path(os.path.commonpath([path.parent for path in paths]))
    kind, digest_of = ("ends", _digest_of_ends) if ends else ("content", _digest_of)
    cache = cache_folder() / f"{cache_key(paths, root, kind)}.sha256"
    if cache.is_file() and cache.stat().st_size == hashlib.sha256().digest_size:
        return cache.read_bytes()
    whole = hashlib.sha256()
    for digest in in_parallel(digest_of, paths, f"Looking at {len(paths)} images"):
        whole.update(digest)
    keep(cache, lambda file: file.write(whole.digest()))
    return whole.digest()


def _digest_of_ends(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            first = file.read(_END)
            file.seek(max(size - _END, 0))
            return hashlib.sha256(f"{size}".encode() + first + file.read(_END)).digest()
    except OSError as error:
        raise UserError(f"The image {path} cannot be read: replace or remove it.") from error


def _digest_of(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError as error:
        raise UserError(f"The image {path} cannot be read: replace or remove it.") from error


def _known_numbers(cache: Path, count: int) -> tuple[list[int], list[int]] | None:
    """Return the images with a lasting and with a passing fault, none where nothing is known."""
    try:
        lasting, passing = json.loads(cache.read_bytes())
        numbers = [*lasting, *passing]
    except (OSError, ValueError, TypeError):
        return None  # absent or damaged
    whole = all(type(k) is int and 0 <= k < count for k in numbers)
    return (lasting, passing) if whole else None


def reader() -> str:
    """Return what reads the pictures; another version may read what this one cannot."""
    from PIL import __version__

    return f"Pillow {__version__}"


def _fault(path: Path, reading: Reading) -> Unreadable | None:
    try:
        read_image(path, 8, reading=reading)
    except Unreadable as fault:
        return fault
    return None
