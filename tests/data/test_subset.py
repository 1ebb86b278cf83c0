"""Which images are kept: the subset of the LDAM-DRW code, and its fingerprint."""

import numpy as np
import pytest
import torch

from lt_lightning.data import Exponential
from lt_lightning.data.profiles import choose_images
from lt_lightning.data.subset import fingerprint
from lt_lightning.errors import UserError


@pytest.fixture(scope="module")
def labels():
    return torch.from_numpy(np.random.RandomState(7).permutation(np.repeat(np.arange(10), 500)))


def published(targets, counts, seed):
    """The procedure of the LDAM-DRW code, which seeds and uses NumPy's global generator."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002  that is the procedure
    chosen = []
    for a_class, count in enumerate(counts):
        idx = np.where(np.array(targets) == a_class)[0]
        np.random.shuffle(idx)  # noqa: NPY002
        chosen += idx[:count].tolist()
    np.random.set_state(before)  # noqa: NPY002
    return chosen


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("ratio", [1, 10, 100])
def test_images_are_those_of_the_published_procedure(labels, ratio, seed):
    keep = Exponential(ratio)(torch.full((10,), 500))
    expected = published(labels.tolist(), keep.tolist(), seed)
    assert choose_images(labels, keep, seed).tolist() == expected


def test_first_images_of_the_cifar_subset_do_not_change():
    """Sorted labels, 5000 a class: the order in which an image folder shows CIFAR-10."""
    labels = torch.arange(10).repeat_interleave(5000)
    chosen = choose_images(labels, Exponential(100)(torch.full((10,), 5000)), 0).tolist()
    assert chosen[:5] == [398, 3833, 4836, 4572, 636]
    assert chosen[5000:5003] == [5597, 5332, 5521]
    assert chosen[-3:] == [46578, 45433, 46162]
    assert (len(chosen), sum(chosen)) == (12406, 120023231)


def test_subsets_of_one_seed_are_nested(labels):
    full = torch.full((10,), 500)
    small, large = (set(choose_images(labels, Exponential(r)(full), 0).tolist()) for r in (100, 10))
    assert small < large


def test_other_seed_gives_other_images_of_the_same_counts(labels):
    keep = torch.tensor([9, 8, 7, 6, 5, 4, 3, 2, 1, 1])
    first, second = (choose_images(labels, keep, seed) for seed in (0, 1))
    assert first.tolist() != second.tolist()
    for chosen in (first, second):
        assert torch.equal(torch.bincount(labels[chosen]), keep)
        assert len(chosen.unique()) == int(keep.sum())


def test_fingerprint_depends_on_trained_and_held_out_images_their_order_and_the_source():
    some, other, none = torch.arange(9), torch.arange(9).flip(0), torch.arange(0)
    cases = [(some, none), (other, none), (none, some), (some, some), (some, other)]
    found = [fingerprint(*case, b"") for case in cases] + [fingerprint(some, none, b"a/0.png")]
    assert len(set(found)) == len(found)
    assert all(len(text) == 16 for text in found)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_that_numpy_does_not_take_is_refused(labels, seed):
    with pytest.raises(UserError, match=f"subset is {seed}"):
        choose_images(labels, torch.ones(10, dtype=torch.int64), seed)
