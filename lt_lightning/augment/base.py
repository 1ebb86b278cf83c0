"""What every batch augmentation is: uint8 images in and out, randomness per image."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import check_tensors, told_value

# An operation on uint8 images (M, C, H, W) with one magnitude per image, float32 (M,).
Op = Callable[[Tensor, Tensor], Tensor]


class Described:
    """Shows the public parameters of an object, so that help texts and logs name them."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({shown})"


class BatchTransform(Described, ABC):
    """An augmentation of a whole batch on its device, with one random choice per image.

    A transform stores parameters only. Every random number comes from the generator of the call,
    so the same generator state gives the same pictures, whatever else draws random numbers. Drawn
    by `rand` and `randint` of `lt_lightning.augment`, they belong to the places of the images in
    the batch of all processes, so the pictures do not depend on the number of processes either.
    """

    @abstractmethod
    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the augmented images.

        Args:
            images: uint8 (N, C, H, W), on any device; never changed in place.
            generator: lives on the device of the images.

        Returns:
            uint8 (N, C, H, W) on the same device.
        """


class Compose(BatchTransform):
    """Several augmentations, one after the other.

    Args:
        transforms: applied from first to last; an empty list changes nothing.
    """

    def __init__(self, transforms: list[BatchTransform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images after all transforms, uint8 (N, C, H, W)."""
        for transform in self.transforms:
            images = transform(images, generator)
        return images


def check_images(images: Tensor) -> None:
    """Stop on anything but uint8 (N, C, H, W).

    Raises:
        UserError: if the type or the number of dimensions is another.
    """
    check_tensors(images=images)
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise UserError(
            f"The images are {images.dtype} of shape {tuple(images.shape)}: augment and normalize "
            "uint8 images (N, C, H, W), in this order."
        )


def check_colours(images: Tensor) -> None:
    """Stop on anything but uint8 (N, C, H, W) of one channel, grey, or three, red, green and blue.

    Raises:
        UserError: if the type, or the number of dimensions or channels is another.
    """
    check_images(images)
    if images.shape[1] not in (1, 3):
        raise UserError(
            f"The images have {images.shape[1]} channels: operations on colours take 1 or 3, so "
            "leave the others out."
        )


def check_augmented(augmented: Tensor, images: Tensor, name: str) -> Tensor:
    """Return what an augmentation made of images, or say what it must be.

    Args:
        augmented: what it returned.
        images: what it was given, uint8 (N, C, H, W).
        name: its class.

    Raises:
        UserError: unless they are as many images, uint8 of any height and width.
    """
    known = isinstance(augmented, Tensor) and augmented.ndim == 4
    if known and augmented.dtype == torch.uint8 and augmented.shape[:2] == images.shape[:2]:
        return augmented
    n, channels = images.shape[:2]
    raise UserError(
        f"{name} gave {told_value(augmented)} for uint8 {tuple(images.shape)}: return as many "
        f"images, uint8 ({n}, {channels}, H, W)."
    )


def check_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Stop if a parameter is outside [low, high].

    Raises:
        UserError: with the name, the value and the range.
    """
    if not low <= value <= high:  # written so that NaN is refused too
        wanted = f"at least {low}" if high == float("inf") else f"from {low} to {high}"
        raise UserError(f"{name} is {value}: give a number {wanted}.")


def check_positive(name: str, value: float) -> None:
    """Stop if a parameter is not above 0.

    Raises:
        UserError: with the name and the value.
    """
    if not 0 < value < float("inf"):
        raise UserError(f"{name} is {value}: give a number above 0.")


def apply_per_group(
    images: Tensor, choice: Tensor, ops: Sequence[Op | None], magnitude: Tensor
) -> Tensor:
    """Apply to each image the operation it drew, one call per operation.

    Args:
        images: uint8 (N, C, H, W).
        choice: int64 (N,), an index into `ops` per image.
        ops: the operations; None leaves the image as it is.
        magnitude: float32 (N,), handed to the operation of the image.

    Returns:
        uint8 (N, C, H, W), in the order of `images`.
    """
    # Sorting needs one wait for the device (`tolist`) instead of one per operation.
    order = choice.argsort()
    counts = torch.bincount(choice, minlength=len(ops)).tolist()
    split = torch.split  # typed, unlike the method of the same name
    parts = zip(ops, split(images[order], counts), split(magnitude[order], counts), strict=True)
    changed = [part if op is None or not len(part) else op(part, m) for op, part, m in parts]
    out = torch.empty_like(images)
    out[order] = torch.cat(changed)
    return out
