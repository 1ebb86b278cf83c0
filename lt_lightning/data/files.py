"""Which files of a folder are images, and what is passed over, which is said once."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from lt_lightning.data.pixels import formats
from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
KINDS = "JPEG, PNG, WebP, GIF, BMP, TIFF and others of the manual"
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .jp2 .j2k .j2c .jpc .jpf .jpx .png .apng .bmp .dib .gif .webp .avif "
    ".avifs .tif .tiff .ppm .pgm .pbm .pnm .pfm .tga .icb .vda .vst .pcx .dcx .sgi .rgb .rgba .bw "
    ".mpo .qoi .ico .cur .icns .dds .xbm .xpm .ras .msp".split()
)
# Of formats that Pillow opens and that are no photographs: they are counted as passed over.
NOT_READ = frozenset(
    ".blp .bufr .emf .eps .fit .fits .flc .fli .ftc .ftu .gbr .grib .h5 .hdf .iim .im .mpeg .mpg "
    ".pcd .ps .psd .pxr .wmf".split()
)
_LISTED = 6  # kinds of what is passed over that are told one by one


class PassedOver:
    """What lies among the images and is not used, by its kind."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.example: Path | None = None

    def add(self, path: Path, kind: str) -> None:
        """Count one; `kind` is a suffix, or says what it is."""
        self.kinds[kind] += 1
        if self.example is None or path < self.example:
            self.example = path

    def told(self) -> str:
        """Return the numbers by kind, the largest first."""
        kinds = sorted(self.kinds.items(), key=lambda pair: (-pair[1], pair[0]))
        rest = sum(count for _, count in kinds[_LISTED:])
        parts = [f"{count} {kind}" for kind, count in kinds[:_LISTED]]
        return ", ".join([*parts, f"{rest} of other kinds"] if rest else parts)

    def warn(self, folder: Path) -> None:
        """Say in one line what was passed over, if anything was."""
        if self.kinds:
            log.warning(
                "%d files or folders in %s are passed over, for they are no images: %s, such as "
                "%s.",
                sum(self.kinds.values()),
                folder,
                self.told(),
                self.example,
            )


def images_below(folder: Path, passed: PassedOver) -> list[Path]:
    """Return the image files of a folder at any depth, sorted: those of training and prediction.

    Taken are the suffixes of `SUFFIXES`, and a file without a suffix that begins as an image does.
    A link to nowhere is among them, for an image is missing there and reading it says so.

    Args:
        folder: the folder.
        passed: counts what is no image.

    Raises:
        UserError: if a folder cannot be listed.
    """
    return list(each_image_below(folder, passed))


def has_image(folder: Path) -> bool:
    """Return whether there is an image in a folder, at any depth."""
    return next(each_image_below(folder, PassedOver()), None) is not None


def images_in(folder: Path) -> list[Path]:
    """Return the image files that lie in the folder itself, sorted."""
    files = (path for path in _visible(folder) if not path.is_dir())
    return sorted(path for path in files if _kind(path) is None)


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; without those whose name begins with a dot."""
    return sorted(path for path in _visible(folder) if path.is_dir())


def check_apart(folders: Iterable[Path]) -> None:
    """Refuse a link by which the images of one folder are read as those of another too.

    Links to folders that are not read else are followed, as to those on another disk.

    Args:
        folders: of the classes of all splits.

    Raises:
        UserError: if one is another one, or lies in it.
    """
    real: dict[Path, Path] = {}  # of the folders that they lie in
    found = []
    for folder in folders:
        if folder.parent not in real:
            real[folder.parent] = folder.parent.resolve()
        target = folder.resolve() if folder.is_symlink() else real[folder.parent] / folder.name
        found.append((target.parts, folder))
    found.sort()  # what lies in a folder comes right behind it
    for (outer, one), (inner, other) in pairwise(found):
        if inner[: len(outer)] == outer:
            # It is the folder that is a link, or the one that it lies in, as a test/ is to train/.
            by_link = one.is_symlink() or (one.parent.is_symlink() and not other.is_symlink())
            link, beside = (one, other) if by_link else (other, one)
            raise UserError(
                f"{link} is a link to {link.resolve()}, and {beside} is read too, with the same "
                "images: take the link away."
            )


def _visible(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        _refuse(error)


def each_image_below(folder: Path, passed: PassedOver) -> Iterator[Path]:
    """Yield what `images_below` returns; the names of one folder at a time are held for it.

    Args:
        folder: the folder.
        passed: counts what is no image, as it is met.

    Raises:
        UserError: if a folder cannot be listed.
    """
    try:
        # Names with a dot in front are leavings of file managers, such as ._photo.jpg.
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        _refuse(error)
    for name in names:
        path = folder / name
        if not path.is_dir():
            kind = _kind(path)
            if kind is None:
                yield path
            else:
                passed.add(path, kind)
        elif path.is_symlink():
            passed.add(path, "linked folders")  # they can go round in circles
        else:
            yield from each_image_below(path, passed)


def _kind(path: Path) -> str | None:
    """Return the kind of a file that is no image, none of one that is."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or (not suffix and _begins_as_image(path)):
        return None
    return suffix or "without a suffix"


def _begins_as_image(path: Path) -> bool:
    from PIL import Image

    if not path.is_file():  # to open a pipe waits for ever
        return False
    marked = tuple(name for name in formats() if name != "TGA")  # which any bytes may be
    try:
        with Image.open(path, formats=marked):
            return True
    except Image.DecompressionBombError:
        return True  # reading it gives the message
    except Exception:  # at what is none, decoders raise nearly anything
        return False


def _refuse(error: OSError) -> NoReturn:
    raise UserError(
        f"The folder {error.filename} cannot be listed ({error.strerror}): give one that can be "
        "read, or take it away."
    ) from error
