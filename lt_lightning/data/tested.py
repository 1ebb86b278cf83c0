"""The test images of a run, by their content, and those of another folder in their place."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

import torch

from lt_lightning.data.decode import decode_all, digest_of_files
from lt_lightning.data.files import PassedOver, check_apart, folders_in
from lt_lightning.data.layout import files_of_classes, labelled_part
from lt_lightning.data.picture_files import Labelled
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError, counted
from lt_lightning.home import home

log = logging.getLogger(__name__)


def fingerprint_of(images: ImageSet, size: int) -> str:
    """Return 16 hexadecimal digits that tell images and labels from others, whatever their names.

    Args:
        images: as evaluation sees them.
        size: width and height in pixels.
    """
    digest = hashlib.sha256(f"{len(images)} images of {size}".encode())
    _count_in(digest, images)
    return digest.hexdigest()[:16]


def content_of(parts: Iterable[ImageSet]) -> str:
    """Return 16 hexadecimal digits that tell the pictures trained on from others of their names.

    Pictures in memory count with all of their pixels; of those that stay in their files, which may
    be many gigabytes, the size and both ends of each file do.

    Args:
        parts: the images trained on, and those held out.
    """
    digest = hashlib.sha256()
    for images in parts:
        _count_in(digest, images, ends=True)
    return digest.hexdigest()[:16]


def _count_in(digest: "hashlib._Hash", images: ImageSet, *, ends: bool = False) -> None:
    digest.update(images.labels.cpu().numpy().tobytes())
    if isinstance(images, MemoryImages):
        digest.update(images.images.cpu().contiguous().numpy().tobytes())
    elif isinstance(images, FileImages):
        digest.update(digest_of_files(list(images.paths), ends=ends))


def labelled_folder(root: Path, names: list[str], source: Source, size: int) -> ImageSet:
    """Return the images of <class>/*, or of test/<class>/*, with the labels of a run.

    Args:
        root: the folder.
        names: the classes of the run, in label order; one without a folder is left out.
        source: that of the run; one of files reads these images as it reads its own.
        size: width and height in pixels.

    Raises:
        UserError: if the folder has a class that the run has not, or no image.
    """
    root = home(root)
    if not root.is_dir():
        raise UserError(f"data.test_root {root} is not a folder: give one with <class>/* in it.")
    folder, passed = labelled_part(root, names), PassedOver()
    check_apart(folders_in(folder))
    found = Labelled(*files_of_classes(folder, names, passed))
    passed.warn(folder)
    absent = [name for k, name in enumerate(names) if k not in set(found.labels)]
    if len(found) and absent:
        told = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        log.warning(
            "%s has no image of %s (%s).", folder, counted(len(absent), "class", "classes"), told
        )
    files = source.files if isinstance(source, PictureSource) else None
    if files is not None:
        found = files.readable({"test": found}, names, folder)["test"]
    if not len(found):
        raise UserError(
            f"data.test_root {root} holds no image of the run's classes: give a folder with "
            f"{names[0]}/*, {names[1]}/* and so on."
        )
    if files is not None:
        return files.load(found, folder)
    pixels = decode_all(found.paths, size, folder, source.reading)
    return MemoryImages(torch.tensor(found.labels), pixels)
