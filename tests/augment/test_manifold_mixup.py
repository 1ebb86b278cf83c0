import pytest
import torch
from torch import nn

from lt_lightning.augment import ManifoldMixup, Mixed, MixedInside, mix_at
from lt_lightning.errors import UserError

COUNTS = torch.full((12,), 5)


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.layer2 = nn.Conv2d(4, 5, 3)
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        return self.layer2(self.layer1(x)).mean((2, 3))


@pytest.fixture
def toy():
    torch.manual_seed(0)
    return Toy()


@pytest.fixture
def batch(rng):
    return torch.randn(12, 3, 6, 6, generator=rng(5)), torch.arange(12)


def by_hand(toy, images, layer, permutation, lam):
    def mix(h):
        return lam * h + (1 - lam) * h[permutation]

    x = mix(images) if layer == "input" else images
    x = toy.layer1[0](x)
    x = toy.layer1[1](mix(x) if layer == "layer1.0" else x)
    x = toy.layer2(mix(x) if layer == "layer1" else x)
    x = (mix(x) if layer == "layer2" else x).mean((2, 3))
    return mix(x) if layer == "output" else x


@pytest.mark.parametrize("layer", ["input", "layer1.0", "layer1", "layer2", "output"])
def test_mixes_exactly_the_named_layer(rng, toy, batch, layer):
    images, targets = batch
    mixed = ManifoldMixup(layers=[layer])(images, targets, COUNTS, rng(0))
    assert isinstance(mixed, Mixed)
    with mixed.inside(toy):
        logits = toy(mixed.images)
    expected = by_hand(toy, images, layer, mixed.targets_b, mixed.share[0])
    torch.testing.assert_close(logits, expected)
    assert not torch.allclose(logits, toy(images))
    torch.testing.assert_close(toy(images), by_hand(toy, images, "none", None, None))  # hook gone


def test_layers_are_drawn_uniformly(rng, batch, chi_square):
    mixing = ManifoldMixup(layers=["input", "layer1", "output"])
    generator = rng(0)
    names = []
    for _ in range(300):
        mixed = mixing(*batch, COUNTS, generator)
        names.append(mixed.layer if isinstance(mixed, MixedInside) else "input")
    counts = torch.tensor([float(names.count(layer)) for layer in mixing.layers])
    assert chi_square(counts, torch.full((3,), 100.0)) < 4


def test_gradients_reach_both_images(rng, toy, batch):
    images = batch[0].requires_grad_()
    with mix_at(toy.layer2, torch.arange(12).roll(1), torch.tensor([0.7])):
        toy(images)[0].sum().backward()
    size = images.grad.abs().sum((1, 2, 3))
    assert size.nonzero().flatten().tolist() == [0, 11]


def test_weight_per_image(toy, batch):
    lam = torch.linspace(0, 1, 12)
    partner = torch.arange(12).roll(1)
    plain = toy(batch[0])
    with mix_at(toy, partner, lam):
        mixed = toy(batch[0])
    torch.testing.assert_close(mixed, lam[:, None] * plain + (1 - lam[:, None]) * plain[partner])


def test_hook_is_removed_after_an_error(toy, batch):
    plain = toy(batch[0])
    with (
        pytest.raises(RuntimeError, match="stop"),
        mix_at(toy.layer1, torch.arange(12), torch.tensor([0.5])),
    ):
        raise RuntimeError("stop")
    assert torch.equal(toy(batch[0]), plain)


@pytest.mark.parametrize("runs", [0, 2])
def test_must_run_exactly_once(toy, batch, runs):
    context = mix_at(toy.layer2, torch.arange(12), torch.tensor([0.5]))
    context.__enter__()
    for _ in range(runs):
        toy(batch[0])
    with pytest.raises(UserError, match=f"Conv2d ran {runs} times"):
        context.__exit__(None, None, None)


def test_output_must_be_one_row_per_image(toy, batch):
    with (
        pytest.raises(UserError, match="not one tensor with 5 rows"),
        mix_at(toy.layer2, torch.arange(5), torch.tensor([0.5])),
    ):
        toy(batch[0])


def test_unknown_layer_is_named(rng, toy, batch):
    mixed = ManifoldMixup(layers=["layer9"])(*batch, COUNTS, rng(0))
    with pytest.raises(UserError, match="layers has layer9 but Toy has no such part"):
        mixed.inside(toy)


@pytest.mark.parametrize("options", [{"alpha": 0}, {"layers": []}, {"layers": [""]}])
def test_bad_parameters(options):
    with pytest.raises(UserError):
        ManifoldMixup(**options)
