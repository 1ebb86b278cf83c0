"""What every augmentation of images, and every mixing of pairs of them, promises."""

import copy

import torch
from torch import Tensor, nn

from lt_lightning.augment import BatchTransform, Mixing, placed_generator
from lt_lightning.testing.constructor import check_constructor
from lt_lightning.testing.expect import promised, refused, that, untouched_generator

_COUNTS = torch.tensor([500, 300, 20, 3])
_DRAWS = 16  # batches of a mixing that draws its share
_MOST = 500  # of one that mixes few of its batches
_UNMIXED = 1e-3  # of an image, what rounding makes of it


def check_augment(augment: BatchTransform | Mixing, *, distinct: int = 2) -> None:
    """Check all that an augmentation, or a mixing, promises.

    Args:
        augment: an instance, with any settings.
        distinct: how many of 128 equal images an augmentation must at least make different.

    Raises:
        AssertionError: with what is broken.
    """
    kind = BatchTransform if isinstance(augment, BatchTransform) else Mixing
    check_constructor(type(augment), kind)
    with promised():
        if isinstance(augment, BatchTransform):
            _check_transform(augment, distinct)
        else:
            _check_mixing(augment)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _pictures() -> Tensor:
    return torch.randint(256, (64, 3, 17, 24), generator=_generator(7), dtype=torch.uint8)


def _check_transform(transform: BatchTransform, distinct: int) -> None:
    pictures = _pictures()
    before, first = pictures.clone(), transform(pictures, _generator(0))
    form = (first.dtype, first.shape)
    that(form == (torch.uint8, pictures.shape), f"uint8 images come out as {form}")
    that(torch.equal(pictures, before), "the images that were given are changed in place")
    that(not torch.equal(first, pictures), "no image is changed")
    one = torch.randint(256, (3, 16, 16), generator=_generator(0), dtype=torch.uint8)
    equal = transform(one.expand(128, 3, 16, 16), _generator(0))
    found = len(torch.unique(equal.flatten(1), dim=0))
    that(found >= distinct, f"128 equal images come out as {found} different ones")
    torch.manual_seed(2)
    with untouched_generator():
        again = transform(pictures, _generator(0))
    that(torch.equal(again, first), "the same generator gives other images")
    that(not torch.equal(transform(pictures, _generator(1)), first), "the generator has no effect")
    last = pictures.to(memory_format=torch.channels_last)
    that(torch.equal(transform(last, _generator(0)), first), "the memory layout matters")
    _check_places(transform, pictures, first)
    that(torch.equal(copy.deepcopy(transform)(pictures, _generator(0)), first), "a copy differs")
    with refused("an image of floats"):
        transform(pictures.float(), _generator(0))
    with refused("an image without a batch"):
        transform(pictures[0], _generator(0))


def _check_places(transform: BatchTransform, pictures: Tensor, whole: Tensor) -> None:
    """Check that three processes make of their images what one makes of all."""
    for rank in range(3):
        places = range(rank, len(pictures), 3)
        generator = placed_generator(0, torch.device("cpu"), places, len(pictures))
        part = transform(pictures[rank::3].contiguous(), generator)
        that(
            torch.equal(part, whole[rank::3]),
            "several processes make other images than one: draw a row for each image of the batch, "
            "by lt_lightning.augment.rand or randint",
        )


def _check_mixing(mixing: Mixing) -> None:
    images, targets = _pictures()[:, :, :9, :7], torch.arange(64) % 4
    for dtype in (torch.float32, torch.float64, torch.uint8, torch.bfloat16):
        given = images.to(dtype)
        before = given.clone()
        mixed = mixing(given, targets, _COUNTS, _generator(3))
        form = (mixed.images.dtype, mixed.images.shape)
        that(form == (dtype, given.shape), f"{dtype} images come out as {form}")
        that(torch.equal(given, before), "the images that were given are changed in place")
        that(torch.equal(mixed.targets_a, targets), "targets_a are not those of the images")
        partners = mixed.targets_b.sort().values
        that(torch.equal(partners, targets.sort().values), "targets_b are no permutation")
        inside = (mixed.share >= 0) & (mixed.share <= 1)
        that(mixed.share.shape == (64,) and bool(inside.all()), "share is not (N,) in [0, 1]")
        that(mixed.share.dtype == torch.float32, f"share is {mixed.share.dtype}")
    _check_given(mixing, images.float(), targets)
    with untouched_generator():
        first, again = (mixing(images, targets, _COUNTS, _generator(3)) for _ in range(2))
    that(torch.equal(first.share, again.share), "the same generator gives another share")
    that(torch.equal(first.images, again.images), "the same generator gives other images")
    network = nn.Sequential(nn.Flatten(), nn.Linear(189, 4))
    mixed = mixing(images.float(), targets, _COUNTS, _generator(3))
    with mixed.inside(network):
        that(network(mixed.images).shape == (64, 4), "a network does not run on the mix")
    _check_drawn(mixing, targets)
    with refused("a missing label"):
        mixing(images, targets[:5], _COUNTS, _generator(0))


def _check_given(mixing: Mixing, images: Tensor, targets: Tensor) -> None:
    """Check that a share and a permutation may be given, and none of the two."""
    order = torch.arange(63, -1, -1)
    mixed = mixing(images, targets, _COUNTS, _generator(0), share=0.7, permutation=order)
    that(torch.equal(mixed.targets_b, targets[order]), "a given permutation is not used")
    same = mixing(images, targets, _COUNTS, _generator(0), share=1.0, permutation=order)
    that(torch.equal(same.images, images), "with the share 1 the images are changed")
    that((same.share == 1).all(), "with the share 1 the first label has not the weight 1")
    free = mixing(images, targets, _COUNTS)
    that(free.images.shape == images.shape, "without a generator the images are lost")


def _check_drawn(mixing: Mixing, targets: Tensor) -> None:
    """Check that images are mixed by a share that is drawn, and labels as their images are.

    Of images of one grey each, the mean of what a network sees tells how they were mixed, be it
    by a blend, by a box or inside the network.
    """
    greys = torch.arange(64) / 64
    images = greys[:, None, None, None].expand(64, 3, 9, 7)
    mean = nn.Linear(189, 1, bias=False)
    nn.init.constant_(mean.weight, 1 / 189)
    network = nn.Sequential(nn.Flatten(), mean)
    order, even = torch.arange(63, -1, -1), torch.full((4,), 9)
    draws, most, right, turned = 0, 0.0, 0.0, 0.0
    while draws < _DRAWS or (most <= _UNMIXED and draws < _MOST):
        mixed = mixing(images, targets, even, _generator(draws), permutation=order)
        draws += 1
        with torch.no_grad(), mixed.inside(network):
            means = network(mixed.images)[:, 0]
        pixels = (means - greys[order]) / (greys - greys[order])
        most = max(most, float((1 - pixels).max()))
        right += float((mixed.share - pixels).abs().mean())
        turned += float((1 - mixed.share - pixels).abs().mean())
    that(most > _UNMIXED, f"where the share is drawn, no image of {_MOST} batches is mixed")
    # A mixing that favours classes gives labels another weight, yet not the opposite one.
    wrong = right > turned if not mixing.keeps_shares else right > _UNMIXED * draws
    that(not wrong, "where the share is drawn, it is not that of the first image in the mix")
