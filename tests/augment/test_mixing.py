import math

import pytest
import torch
from torch import nn

from lt_lightning.augment.mixing import Mixed, blend, check_pairs, draw_beta, partners_of
from lt_lightning.errors import UserError


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_beta_has_the_right_mean_and_variance(rng, alpha):
    lam = draw_beta(alpha, 20000, rng(0))
    assert lam.dtype == torch.float32
    assert float(lam.min()) >= 0
    assert float(lam.max()) <= 1
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(float(lam.mean()) - 0.5) < 4 * math.sqrt(variance / 20000)
    assert abs(float(lam.var()) / variance - 1) < 0.05


def test_beta_of_one_is_uniform(rng, chi_square):
    tenths = (draw_beta(1.0, 5000, rng(1)) * 10).long()
    assert chi_square(torch.bincount(tenths, minlength=10).float(), torch.full((10,), 500.0)) < 4


def test_beta_of_a_tiny_alpha_is_finite(rng):
    lam = draw_beta(1e-3, 2000, rng(0))
    assert bool(lam.isfinite().all())
    assert 0.35 < float(lam.mean()) < 0.65


def test_permutation(rng):
    drawn = [partners_of(torch.zeros(5), rng(seed), None) for seed in range(20)]
    assert all(sorted(p.tolist()) == list(range(5)) for p in drawn)
    assert len({tuple(p.tolist()) for p in drawn}) > 10


def test_blend_is_the_convex_sum(rng):
    a, b = torch.randn(2, 4, 3, 2, 2, generator=rng(0))
    lam = torch.tensor([0.0, 0.25, 0.7, 1.0])
    out = blend(a, b, lam)
    for k in range(4):
        torch.testing.assert_close(out[k], lam[k] * a[k] + (1 - lam[k]) * b[k])
    assert torch.equal(out[0], b[0])
    assert torch.equal(out[3], a[3])
    assert blend(a.bfloat16(), b.bfloat16(), lam).dtype == torch.bfloat16


def test_blend_rounds_uint8():
    a = torch.tensor([[0], [200], [255]], dtype=torch.uint8)
    b = torch.tensor([[255], [101], [255]], dtype=torch.uint8)
    assert blend(a, b, torch.tensor([0.75])).flatten().tolist() == [64, 175, 255]


def test_plain_mix_does_nothing_inside():
    network = nn.Linear(3, 2)
    x = torch.ones(4, 3)
    mixed = Mixed(x, torch.zeros(4), torch.zeros(4), torch.ones(4))
    with mixed.inside(network):
        inside = network(x)
    assert torch.equal(inside, network(x))


def test_one_label_per_image():
    with pytest.raises(UserError, match="give one class index per image"):
        check_pairs(torch.zeros(4, 3, 2, 2), torch.zeros(3))
