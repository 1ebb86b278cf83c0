"""What a run says of images, and how images are given to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.decode import Unreadable, read_image, view_of
from lt_lightning.data.files import KINDS, PassedOver, images_below
from lt_lightning.data.reading import Reading
from lt_lightning.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

One: TypeAlias = Union[str, Path, "Picture", Tensor]
Images: TypeAlias = One | Sequence[One]
_TAKEN = "give a path, a folder, a PIL image, a tensor (N, 3, H, W), or a list of these"
_HIGHEST = 255


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a run says of N images, in their order.

    Attributes:
        probabilities: float64 (N, C), rows sum to 1.
        classes: int64 (N,), the most probable class of each image, of equals the first.
        names: of these classes, N.
        files: N; none for an image that was given as pixels.
    """

    probabilities: Tensor
    classes: Tensor
    names: tuple[str, ...]
    files: tuple[Path | None, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def confidences(self) -> Tensor:
        """The probability of the predicted class, float64 (N,)."""
        return self.probabilities.gather(1, self.classes[:, None])[:, 0]


@dataclass(frozen=True)
class Named:
    """An image of a list: its file, or where it stands in what was given."""

    place: int
    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file or f"at place {self.place}")


def pixels(images: Images, size: int, reading: Reading) -> Iterator[tuple[Named, Tensor]]:
    """Yield every image as the model sees it, uint8 (3, size, size), one at a time.

    Raises:
        UserError: if one is no image, or cannot be read.
    """
    for place, image in enumerate(_each(images)):
        if isinstance(image, str | Path):
            yield Named(place, Path(image)), _of_file(Path(image), size, reading)
        elif isinstance(image, Tensor):
            yield Named(place), _of_tensor(image, size, reading)
        else:
            yield Named(place), view_of(image, size, reading)


def _of_file(path: Path, size: int, reading: Reading) -> Tensor:
    try:
        return read_image(path, size, reading=reading)
    except Unreadable as error:
        raise UserError(f"The image {path} {error.fault}: leave it out.") from error


def _each(images: Images) -> Iterator[One]:
    """Yield images one by one: those of a folder, of a batch, of a list, or the one."""
    from PIL import Image

    if isinstance(images, str) and not images:
        raise UserError(f"images is '': {_TAKEN}.")
    if isinstance(images, str | Path):
        folder, passed = Path(images), PassedOver()
        files = images_below(folder, passed) if folder.is_dir() else [folder]
        if not files:
            raise UserError(f"The folder {folder} holds no image: give one of {KINDS}.")
        passed.warn(folder)
        yield from files
    elif isinstance(images, Tensor):
        yield from images if images.ndim == 4 else [images]
    elif isinstance(images, Image.Image):
        yield images
    elif isinstance(images, Sequence):
        for image in images:
            yield from _each(image)
    else:
        raise UserError(f"images is {type(images).__name__}: {_TAKEN}.")


def _of_tensor(image: Tensor, size: int, reading: Reading) -> Tensor:
    """Return pixels (3, H, W) as they would be read from a file without losses."""
    from PIL import Image

    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise UserError(
            f"An image has the shape {tuple(image.shape)}: give (3, H, W), or (N, 3, H, W) for N."
        )
    whole = image.detach().cpu()
    if whole.is_floating_point():
        if not bool(((whole >= 0) & (whole <= 1)).all()):  # false for NaN too
            raise UserError(
                "An image has values outside of 0 to 1: give pixels as uint8, or as floats from 0 "
                "to 1, before they are normalised; the run does that itself."
            )
        whole = (whole.double() * _HIGHEST).round().to(torch.uint8)
    if whole.dtype != torch.uint8:
        raise UserError(f"An image is {image.dtype}: give uint8, or floats from 0 to 1.")
    if whole.shape[1:] == (size, size):
        return whole.contiguous()
    return view_of(
        Image.fromarray(np.ascontiguousarray(whole.permute(1, 2, 0).numpy())), size, reading
    )
