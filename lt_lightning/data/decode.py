"""Reading image files: one at a time, or all at once in parallel with a cache."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")
_EVAL_ZOOM = 8 / 7  # 256 pixels for a crop of 224, the common ImageNet protocol


def cache_folder() -> Path:
    """Return where decoded images are kept: LT_CACHE, else the user's cache folder."""
    base = os.environ.get("LT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return Path(base) / "lt_lightning" if base else Path.home() / ".cache" / "lt_lightning"


def read_image(path: Path, size: int, crop_scale: float | None = None) -> Tensor:
    """Read one image as uint8 (3, size, size).

    Args:
        path: the file.
        size: width and height in pixels.
        crop_scale: the least share of the area in a random resized crop; none gives the
            evaluation view (short side to 8/7 of `size`, middle crop; a small image that is not
            larger than `size` is resized only).

    Raises:
        UserError: if the file cannot be read; the message names it.
    """
    from PIL import Image
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional as tv

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            f"The image {path} cannot be read ({type(error).__name__}): replace or remove it, or "
            "set --data.source.unreadable skip."
        ) from error
    if crop_scale is not None:
        view = v2.RandomResizedCrop(size, scale=(crop_scale, 1.0), antialias=True)(image)
    elif max(image.size) <= size:
        view = image if image.size == (size, size) else tv.resize(image, [size, size])
    elif size <= 64:
        view = tv.center_crop(tv.resize(image, [size], antialias=True), [size, size])
    else:
        view = tv.center_crop(
            tv.resize(image, [round(size * _EVAL_ZOOM)], antialias=True), [size, size]
        )
    return torch.from_numpy(np.asarray(view).copy()).permute(2, 0, 1)


def _parallel(work: Callable[[Path], T], paths: list[Path], what: str) -> Iterable[T]:
    with ThreadPoolExecutor(max_workers=min(16, (os.cpu_count() or 1) + 2)) as pool:
        results = pool.map(work, paths)
        yield from track(results, total=len(paths), description=what, transient=True)


def _key(paths: list[Path], root: Path, extra: str) -> str:
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        stat = path.stat()
        digest.update(f"{path.relative_to(root)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def decode_all(paths: list[Path], size: int, root: Path) -> Tensor:
    """Decode all files into uint8 (N, 3, size, size), once; later calls read the cache.

    The cache is keyed by the names, sizes and times of the files and by `size`.

    Raises:
        UserError: if a file cannot be read; the message names it.
    """
    cache = cache_folder() / f"{_key(paths, root, f'size={size}')}.npy"
    shape = (len(paths), 3, size, size)
    if cache.is_file():
        try:
            stored = np.load(cache, allow_pickle=False)
            if stored.shape == shape and stored.dtype == np.uint8:
                return torch.from_numpy(stored)
        except (OSError, ValueError):
            log.warning("The cache file %s is damaged and is made again.", cache)
    images = torch.empty(shape, dtype=torch.uint8)
    decoded = _parallel(lambda p: read_image(p, size), paths, f"Decoding {len(paths)} images")
    for place, image in enumerate(decoded):
        images[place] = image
    _store(cache, images.numpy())
    return images


def _store(cache: Path, array: np.ndarray) -> None:
    # Written aside and renamed, so that two processes cannot see half a file.
    aside = cache.with_suffix(f".{os.getpid()}.tmp")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            np.save(file, array)
        aside.replace(cache)
    except OSError as error:
        aside.unlink(missing_ok=True)
        log.warning("The decoded images are not kept in %s: %s", cache.parent, error)


def unreadable(paths: list[Path], root: Path) -> set[Path]:
    """Return the files that cannot be read, after a warning that counts and names them."""
    cache = cache_folder() / f"{_key(paths, root, 'unreadable')}.txt"
    if cache.is_file():
        bad = {root / line for line in cache.read_text(encoding="utf-8").splitlines() if line}
    else:
        states = _parallel(_readable, paths, f"Checking {len(paths)} images")
        bad = {path for path, good in zip(paths, states, strict=True) if not good}
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            cache.write_text("\n".join(str(p.relative_to(root)) for p in sorted(bad)), "utf-8")
        except OSError as error:
            log.warning("The list of unreadable images is not kept: %s", error)
    if bad:
        log.warning(
            "%d of %d images cannot be read and are skipped, such as %s.",
            len(bad),
            len(paths),
            min(bad),
        )
    return bad


def _readable(path: Path) -> bool:
    try:
        read_image(path, 8)
    except UserError:
        return False
    return True
