import math

import pytest
import torch
from torch import nn

from lt_lightning import augment
from lt_lightning.augment.mixing import Mixed, Mixing, blend, check_pairs, draw_beta, partners_of
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


MIXINGS = [
    kind
    for name in augment.__all__
    if isinstance(kind := getattr(augment, name), type) and issubclass(kind, Mixing)
    if kind is not Mixing
]


@pytest.mark.parametrize("kind", MIXINGS)
def test_a_mixing_says_whether_each_class_keeps_its_share_of_the_labels(kind, rng):
    counts = torch.tensor([900, 90, 10])
    targets = torch.repeat_interleave(counts)
    generator, mass = rng(0), torch.zeros(3)
    for _ in range(20):
        images = torch.zeros(len(targets), 1, 4, 4)
        mixed = kind()(images, targets, counts, generator)
        mass.index_add_(0, mixed.targets_a, mixed.share)
        mass.index_add_(0, mixed.targets_b, 1 - mixed.share)
    near = float((mass / mass.sum() - counts / counts.sum()).abs().max()) < 0.01
    assert kind.keeps_shares is near
