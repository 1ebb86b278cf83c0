import pytest
import torch

from lt_lightning.augment import CutMix
from lt_lightning.errors import UserError

COUNTS = torch.full((32,), 5)


def test_share_is_the_share_of_own_pixels_of_the_first_label(rng):
    targets = torch.arange(32)
    images = targets.float().view(-1, 1, 1, 1).expand(32, 3, 11, 8)
    shares = set()
    for seed in range(20):
        mixed = CutMix()(images, targets, COUNTS, rng(seed))
        assert sorted(mixed.targets_b.tolist()) == list(range(32))
        for k in range(32):
            a, b = float(mixed.targets_a[k]), float(mixed.targets_b[k])
            pixels = mixed.images[k]
            assert bool(((pixels == a) | (pixels == b)).all())
            if a != b:
                assert float(mixed.share[k]) == pytest.approx(float((pixels == a).float().mean()))
        shares.add(float(mixed.share[0]))
    assert len(shares) > 10


def test_probability_zero_mixes_nothing(rng):
    images, targets = torch.randn(8, 3, 4, 4, generator=rng(0)), torch.arange(8)
    mixed = CutMix(probability=0)(images, targets, COUNTS, rng(1))
    assert torch.equal(mixed.images, images)
    assert mixed.share.tolist() == [1.0] * 8


@pytest.mark.parametrize("options", [{"alpha": 0}, {"probability": 1.1}])
def test_bad_parameters(options):
    name, value = next(iter(options.items()))
    with pytest.raises(UserError, match=f"{name} is {value}"):
        CutMix(**options)
