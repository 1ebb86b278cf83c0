"""Random numbers of images that are a part of a larger batch, that of several processes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lt_lightning.errors import UserError


class PlacedGenerator(torch.Generator):
    """A generator of a whole batch, of which this process has some images.

    `rand` and `randint` draw for the whole batch from it and return the rows of the images that
    are here, so that the pictures do not depend on how many processes share the batch. Drawn from
    directly it is an ordinary generator, alike on all processes.

    Attributes:
        places: of the images in the whole batch, int64 (n,), on the device of the generator.
        total: images of the whole batch.
    """

    places: Tensor
    total: int


def placed_generator(
    seed: int, device: torch.device, places: Sequence[int], total: int
) -> torch.Generator:
    """Return a generator for the images at some places of a batch of `total` images.

    Args:
        seed: of the whole batch.
        device: of the numbers.
        places: of the images, each from 0 to total - 1; all of them in their order is an ordinary
            generator.
        total: images of the whole batch.
    """
    if list(places) == list(range(total)):
        return torch.Generator(device).manual_seed(seed)
    generator = PlacedGenerator(device)
    generator.manual_seed(seed)
    generator.places = torch.tensor(places, dtype=torch.int64).to(device, non_blocking=True)
    generator.total = total
    return generator


def rand(*shape: int, generator: torch.Generator, axis: int = 0) -> Tensor:
    """Return uniform numbers in [0, 1), one row per image.

    Args:
        shape: of the result.
        generator: of the call of the augmentation.
        axis: of the images in it.

    Raises:
        UserError: if the axis is not as long as there are images.
    """

    def draw(whole: list[int]) -> Tensor:
        return torch.rand(whole, generator=generator, device=generator.device)

    return _rows(draw, shape, generator, axis)


def randint(high: int, *shape: int, generator: torch.Generator, axis: int = 0) -> Tensor:
    """Return whole numbers from 0 to high - 1, int64, one row per image; see `rand`."""

    def draw(whole: list[int]) -> Tensor:
        return torch.randint(high, whole, generator=generator, device=generator.device)

    return _rows(draw, shape, generator, axis)


def randperm(count: int, *, generator: torch.Generator) -> Tensor:
    """Return where the images are in a random order of the whole batch, int64 (n,)."""

    def draw(whole: list[int]) -> Tensor:
        return torch.randperm(whole[0], generator=generator, device=generator.device)

    return _rows(draw, (count,), generator, 0)


def _rows(
    draw: Callable[[list[int]], Tensor],
    shape: Sequence[int],
    generator: torch.Generator,
    axis: int,
) -> Tensor:
    if not isinstance(generator, PlacedGenerator):
        return draw(list(shape))
    if shape[axis] != len(generator.places):
        raise UserError(
            f"Random numbers are asked for {shape[axis]} images but the process has "
            f"{len(generator.places)}: draw one row for each image of the batch."
        )
    whole = [generator.total if k == axis else size for k, size in enumerate(shape)]
    return draw(whole).index_select(axis, generator.places)
