import pytest
import torch

from lt_lightning.augment import Mixup
from lt_lightning.errors import UserError

COUNTS = torch.full((40,), 5)


@pytest.mark.parametrize("per_sample", [False, True])
def test_images_and_labels_are_mixed_with_one_weight(rng, per_sample):
    # Image k is k everywhere, so the mix tells partner and weight.
    targets = torch.arange(40)
    images = targets.float().view(-1, 1, 1, 1).expand(40, 3, 2, 2)
    mixed = Mixup(1.0, per_sample)(images, targets, COUNTS, rng(0))
    assert torch.equal(mixed.targets_a, targets)
    assert sorted(mixed.targets_b.tolist()) == list(range(40))
    expected = mixed.share * mixed.targets_a + (1 - mixed.share) * mixed.targets_b
    torch.testing.assert_close(mixed.images, expected.view(-1, 1, 1, 1).expand(40, 3, 2, 2))
    assert len(mixed.share.unique()) == (40 if per_sample else 1)


def test_alpha_shapes_the_weight(rng):
    images, targets = torch.zeros(4000, 1, 1, 1), torch.zeros(4000, dtype=torch.int64)
    spread = {
        alpha: float(Mixup(alpha, per_sample=True)(images, targets, COUNTS, rng(0)).share.std())
        for alpha in (0.2, 1.0, 5.0)
    }
    assert spread[0.2] > 0.38 > spread[1.0] > 0.25 > spread[5.0]


@pytest.mark.parametrize("alpha", [0, -1, float("nan")])
def test_bad_alpha(alpha):
    with pytest.raises(UserError, match="alpha is"):
        Mixup(alpha)
