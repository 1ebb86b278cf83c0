"""What every mixing of two images and their labels is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from lt_lightning.augment.base import Described
from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_tensors

Share: TypeAlias = Tensor | float


@dataclass
class Mixed:
    """A mixed batch; its loss is loss(z, targets_a, share) + loss(z, targets_b, 1 - share).

    Attributes:
        images: (N, C, H, W), of the type of the images that were mixed.
        targets_a: int64 (N,), the first label of each image.
        targets_b: int64 (N,), the second label of each image.
        share: float32 (N,) in [0, 1], the weight of `targets_a`.
    """

    images: Tensor
    targets_a: Tensor
    targets_b: Tensor
    share: Tensor

    def inside(self, network: nn.Module) -> AbstractContextManager[None]:
        """Return the context in which `network` is to run on the images, once.

        Only a mixing of features does something here; all others return an empty context, so one
        training step serves all: `with mixed.inside(network): logits = network(mixed.images)`.
        """
        return nullcontext()

    def part(self, places: Tensor, whole: Callable[[Tensor], Tensor]) -> "Mixed":
        """Return some images of the batch, which several processes share.

        Args:
            places: of the images, int64 (n,).
            whole: returns the rows of all images, of those that each process has; only a mixing
                of features asks for it.
        """
        return replace(
            self,
            images=self.images[places],
            targets_a=self.targets_a[places],
            targets_b=self.targets_b[places],
            share=self.share[places],
        )


class Mixing(Described, ABC):
    """A mix of pairs of images of one batch, with the two labels of each pair.

    A mixing stores parameters only; every random number comes from the generator of the call.

    Attributes:
        keeps_shares: whether each class has, on average, the share of the mixed labels that it has
            of the images: the weight of a label does not depend on its class.
    """

    keeps_shares: bool = True

    @abstractmethod
    def __call__(
        self,
        images: Tensor,
        targets: Tensor,
        class_counts: ClassCounts | None = None,
        generator: torch.Generator | None = None,
        *,
        share: Share | None = None,
        permutation: Tensor | None = None,
    ) -> Mixed:
        """Return the mixed batch.

        Args:
            images: float, normalised, or uint8 (N, C, H, W); never changed in place.
            targets: int64 (N,).
            class_counts: training images per class, (C,), a tensor, an array or a list; only some
                mixings ask for them.
            generator: lives on the device of the images; none is torch's own.
            share: of the image itself in the mix, a number, (1,) or (N,), in [0, 1]; none draws
                it. The share of its label may be another, see the class.
            permutation: the partner of each image, int64 (N,); none draws it.

        Raises:
            UserError: if what is given does not fit.
        """


def keeps_shares(mixing: Mixing | None) -> bool:
    """Return whether images mixed so, or not at all, leave each class its share of the labels."""
    return mixing is None or mixing.keeps_shares


def check_pairs(images: Tensor, targets: Tensor) -> None:
    """Stop if there is not one label per image.

    Raises:
        UserError: with both shapes, or what is no tensor.
    """
    check_tensors(images=images, targets=targets)
    if targets.shape != images.shape[:1]:
        raise UserError(
            f"The images have the shape {tuple(images.shape)} and the targets "
            f"{tuple(targets.shape)}: give one class index per image."
        )


def draw_beta(
    alpha: float,
    count: int,
    generator: torch.Generator | None,
    device: torch.device | None = None,
) -> Tensor:
    """Draw from Beta(alpha, alpha), float32 (count,) on `device`; none is the generator's."""
    device = generator.device if generator is not None else device
    # float64: gamma draws of a small alpha are below the smallest float32.
    shape = torch.full((2, count), alpha, dtype=torch.float64, device=device)
    first, second = torch._standard_gamma(shape, generator=generator).unbind()
    tiny = torch.finfo(torch.float64).tiny  # 0 / 0 becomes 1/2
    return ((first + tiny) / (first + second + 2 * tiny)).float()


def given_share(share: Share, images: Tensor) -> Tensor:
    """Return a share that was given as float32 (1,) or (N,), on the device of the images.

    Raises:
        UserError: if it is of another shape, or outside of [0, 1].
    """
    found = torch.as_tensor(share, dtype=torch.float32, device=images.device).reshape(-1)
    if len(found) not in (1, len(images)) or not bool(((found >= 0) & (found <= 1)).all()):
        raise UserError(
            f"share has the shape {tuple(found.shape)} and values from {float(found.min()):g} to "
            f"{float(found.max()):g}: give one number in [0, 1], or one per image, "
            f"({len(images)},)."
        )
    return found


def share_of(
    share: Share | None,
    images: Tensor,
    generator: torch.Generator | None,
    *,
    alpha: float,
    count: int = 1,
) -> Tensor:
    """Return a share that was given, or `count` drawn from Beta(alpha, alpha), float32.

    Raises:
        UserError: if it does not fit the images.
    """
    if share is not None:
        return given_share(share, images)
    return draw_beta(alpha, count, generator, images.device)


def partners_of(
    images: Tensor, generator: torch.Generator | None, permutation: Tensor | None
) -> Tensor:
    """Return the partner of each image, given or drawn, int64 (N,).

    Raises:
        UserError: if there is not one partner per image.
    """
    count = len(images)
    if permutation is None:
        device = generator.device if generator is not None else images.device
        return torch.randperm(count, generator=generator, device=device)
    found = torch.as_tensor(permutation, device=images.device)
    fits = found.shape == (count,) and not found.is_floating_point()
    if not fits or not bool(((found >= 0) & (found < count)).all()):
        raise UserError(
            f"permutation is {found.tolist()[:5]} with the shape {tuple(found.shape)}: give the "
            f"number of a partner in the batch for each image, int64 ({count},)."
        )
    return found


def blend(first: Tensor, second: Tensor, lam: Tensor) -> Tensor:
    """Return lam * first + (1 - lam) * second in the type of `first`.

    Args:
        first: (N, ...), float or uint8.
        second: like `first`.
        lam: (1,) or (N,), in [0, 1].
    """
    weight = lam.view(-1, *(1,) * (first.ndim - 1))
    if first.dtype == torch.uint8:
        return torch.lerp(second.float(), first.float(), weight).round_().to(torch.uint8)
    return torch.lerp(second, first, weight.to(first.dtype))
