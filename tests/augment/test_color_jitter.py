from itertools import permutations

import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import ColorJitter, color_jitter
from lt_lightning.errors import UserError

ORACLES = {
    "adjust_brightness": tv.adjust_brightness,
    "adjust_contrast": tv.adjust_contrast,
    "adjust_saturation": tv.adjust_saturation,
    "adjust_hue": tv.adjust_hue,
}


@pytest.fixture
def record(monkeypatch):
    """Every stage's (input, choice, operations, magnitude, output)."""
    stages = []
    real = color_jitter.apply_per_group

    def spy(images, choice, ops, magnitude):
        out = real(images, choice, ops, magnitude)
        stages.append((images, choice, [op.__name__ for op in ops], magnitude, out))
        return out

    monkeypatch.setattr(color_jitter, "apply_per_group", spy)
    return stages


def test_each_stage_equals_torchvision_per_image(rng, pictures, record):
    out = ColorJitter(0.4, 1.5, 0.3, 0.2)(pictures, rng(0))
    assert len(record) == 4
    assert torch.equal(record[-1][-1], out)
    for images, choice, names, magnitude, after in record:
        for k in range(len(images)):
            expected = ORACLES[names[int(choice[k])]](images[k], float(magnitude[k]))
            assert int((after[k].int() - expected.int()).abs().max()) <= 1


def test_orders_are_uniform_and_factors_span_their_range(rng, chi_square, record):
    images = torch.zeros(2400, 3, 2, 2, dtype=torch.uint8)
    ColorJitter(0.4, 1.5, 0.3, 0.2)(images, rng(1))
    order = torch.stack([stage[1] for stage in record], 1)
    found = [tuple(row) for row in order.tolist()]
    counts = torch.tensor([float(found.count(p)) for p in permutations(range(4))])
    assert int(counts.sum()) == 2400
    assert chi_square(counts, torch.full((24,), 100.0)) < 4
    for op, (low, high) in enumerate([(0.6, 1.4), (0.0, 2.5), (0.7, 1.3), (-0.2, 0.2)]):
        drawn = torch.cat([stage[3][stage[1] == op] for stage in record])
        assert len(drawn) == 2400
        tenths = ((drawn - low) / (high - low) * 10).floor().long()
        counts = torch.bincount(tenths, minlength=10).float()
        assert chi_square(counts, torch.full((10,), 240.0)) < 4


def test_zero_turns_an_operation_off(rng, pictures, record):
    assert torch.equal(ColorJitter(0, 0, 0, 0)(pictures, rng(0)), pictures)
    assert record == []
    ColorJitter(hue=0.0)(pictures, rng(0))
    assert {name for stage in record for name in stage[2]} == {
        "adjust_brightness",
        "adjust_contrast",
        "adjust_saturation",
    }


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_bad_parameters(name):
    with pytest.raises(UserError, match=f"{name} is -0.1: give a number"):
        ColorJitter(**{name: -0.1})


def test_hue_is_at_most_half_a_turn():
    with pytest.raises(UserError, match=r"hue is 0.6: give a number from 0 to 0.5"):
        ColorJitter(hue=0.6)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (0.8, 0.8), (1.0, 1)])
def test_share_of_jittered_images(rng, probability, share):
    images = torch.tensor([200, 40, 90], dtype=torch.uint8).view(1, 3, 1, 1).expand(2000, 3, 2, 2)
    out = ColorJitter(hue=0.1, probability=probability)(images, rng(1))
    changed = (out != images).flatten(1).any(1).float().mean()
    assert float(changed) == pytest.approx(share, abs=0.03)


def test_chosen_images_are_jittered_as_all_would_be(rng, pictures):
    out = ColorJitter(probability=0.5)(pictures, rng(0))
    generator = rng(0)
    chosen = torch.rand(len(pictures), generator=generator) < 0.5
    want = ColorJitter()(pictures, generator)
    assert torch.equal(out[chosen], want[chosen])
    assert torch.equal(out[~chosen], pictures[~chosen])
    with pytest.raises(UserError, match=r"probability is 1\.2: give a number from 0 to 1"):
        ColorJitter(probability=1.2)
