"""Random numbers belong to the places of images in the batch of all processes."""

import pytest
import torch

from lt_lightning.augment import placed_generator, rand, randint
from lt_lightning.augment.places import PlacedGenerator, randperm
from lt_lightning.errors import UserError

CPU = torch.device("cpu")


def test_all_places_are_an_ordinary_generator():
    generator = placed_generator(3, CPU, range(5), 5)
    assert not isinstance(generator, PlacedGenerator)
    assert torch.equal(
        rand(5, 2, generator=generator),
        torch.rand(5, 2, generator=torch.Generator().manual_seed(3)),
    )


@pytest.mark.parametrize("places", [[0, 2, 4], [4, 1, 1], [3]])
def test_rows_are_those_of_the_whole_batch(places):
    whole, part = (placed_generator(3, CPU, where, 5) for where in (range(5), places))
    n = len(places)
    for draw, axis in (
        (lambda g, k: rand(k, generator=g), 0),
        (lambda g, k: rand(4, k, 2, generator=g, axis=1), 1),
        (lambda g, k: randint(9, k, 1, generator=g), 0),
        (lambda g, k: randperm(k, generator=g), 0),
    ):
        wanted, found = draw(whole, 5), draw(part, n)
        assert torch.equal(found, wanted.index_select(axis, torch.tensor(places)))


def test_other_numbers_than_one_row_per_image_are_refused():
    generator = placed_generator(3, CPU, [0, 2], 5)
    with pytest.raises(UserError, match="for 5 images but the process has 2: draw one row"):
        rand(5, generator=generator)
