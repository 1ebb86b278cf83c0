"""Training images beside those of the source: a folder that `lt cam` made.

The folder holds added_images.json, and the images sorted by class: in images.npz (`images` uint8
(M, 3, H, W) and `labels` int64 (M,)) for sources in memory, or as PNG files
images/<class>/<number>.png for sources that read files.
"""

import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.errors import UserError
from lt_lightning.runs.json_file import read_json

log = logging.getLogger(__name__)
ABOUT, ARRAY = "added_images.json", "images.npz"
_KEYS = {"fingerprint": str, "image_size": int, "counts": list, "made": dict}


def image_file(folder: Path, label: int, number: int) -> Path:
    """Return the file of image `number` of class `label`."""
    return folder / "images" / f"{label:05}" / f"{number:06}.png"


class AddedImages:
    """A folder of added images.

    Attributes:
        counts: added images per class.
        made: how they were made, plain values.

    Args:
        folder: the folder.

    Raises:
        UserError: if it is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            about = read_json(folder / ABOUT)
        except OSError as error:
            raise UserError(
                f"data.added_images {folder} holds no {ABOUT}: give a folder that `lt cam` made."
            ) from error
        except ValueError as error:
            raise self._damaged(ABOUT) from error
        whole = isinstance(about, dict) and all(
            isinstance(about.get(key), kind) for key, kind in _KEYS.items()
        )
        if not whole or not all(type(count) is int and count >= 0 for count in about["counts"]):
            raise self._damaged(ABOUT)
        self.counts: list[int] = about["counts"]
        self.made: dict[str, Any] = about["made"]
        self._fingerprint, self._size = about["fingerprint"], about["image_size"]

    def after(self, originals: ImageSet, facts: dict[str, Any]) -> ImageSet:
        """Return `originals` with the added images behind them.

        Args:
            originals: the training images.
            facts: what the data module says of them.

        Raises:
            UserError: if the added images were made from others, have another size, are damaged,
                or are kept in another way than those of the source.
        """
        self._check(facts)
        log.info("%d added training images from %s", sum(self.counts), self.folder)
        found = torch.repeat_interleave(torch.tensor(self.counts))
        labels = torch.cat([originals.labels, found.to(originals.labels.device)])
        if isinstance(originals, FileImages):
            files = tuple(
                image_file(self.folder, c, k) for c, n in enumerate(self.counts) for k in range(n)
            )
            if files and not files[-1].is_file():
                raise self._other_kind("files")
            return FileImages(labels, originals.paths + files, originals.read)
        assert isinstance(originals, MemoryImages)
        if not (self.folder / ARRAY).is_file():
            raise self._other_kind("memory")
        pixels, stored = self._array()
        fits = pixels.shape[1:] == originals.images.shape[1:] and pixels.dtype == np.uint8
        if not fits or len(pixels) != len(stored) or stored.tolist() != found.tolist():
            raise self._damaged(ARRAY)
        images = torch.from_numpy(pixels).to(originals.images.device)
        return MemoryImages(labels, torch.cat([originals.images, images]))

    def _check(self, facts: dict[str, Any]) -> None:
        if self._fingerprint != facts["fingerprint"]:
            raise UserError(
                f"data.added_images {self.folder} were made from the images {self._fingerprint} "
                f"but the training images are {facts['fingerprint']}: make them again by `lt cam` "
                "from a run on these, or use the data and profile of that run."
            )
        if self._size != facts["image_size"]:
            raise UserError(
                f"data.added_images {self.folder} have {self._size} pixels a side but the "
                f"training images {facts['image_size']}: make them again by `lt cam` from a run "
                "with images of this size."
            )

    def _array(self) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """Return the images and labels of the one file."""
        try:
            with (
                (self.folder / ARRAY).open("rb") as stream,
                np.load(stream, allow_pickle=False) as stored,
            ):
                return stored["images"], stored["labels"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise self._damaged(ARRAY) from error

    def _damaged(self, name: str) -> UserError:
        return UserError(
            f"{self.folder / name} is damaged: remove {self.folder} and make it again by `lt cam`."
        )

    def _other_kind(self, kind: str) -> UserError:
        return UserError(
            f"data.added_images {self.folder} has no images for a source in {kind}: make them "
            "again by `lt cam` from a run with the same data.source.in_memory."
        )
