import pytest
import torch

from lt_lightning.augment import Mixup, Remix
from lt_lightning.augment.remix import remix_share
from lt_lightning.errors import UserError

# lam, n_i, n_j, weight of the first label, with kappa 3 and tau 0.5.
TABLE = [
    (0.4, 300, 10, 0.0),  # frequent first, small weight: all to the rare second
    (0.4, 30, 10, 0.0),  # the border n_i = kappa n_j counts as uneven
    (0.6, 300, 10, 0.6),  # frequent first with much weight keeps it
    (0.5, 300, 10, 0.5),  # lam = tau is not below tau
    (0.6, 10, 300, 1.0),  # rare first, 1 - lam small: all to the rare first
    (0.6, 10, 30, 1.0),
    (0.4, 10, 300, 0.4),  # rare first with little weight keeps lam
    (0.4, 29, 10, 0.4),  # even enough
    (0.6, 10, 29, 0.6),
    (0.4, 10, 10, 0.4),
]


def test_the_three_cases():
    lam, first, second, expected = (torch.tensor(column) for column in zip(*TABLE, strict=True))
    torch.testing.assert_close(remix_share(lam, first, second), expected)


def test_tau_and_kappa():
    lam, n_i, n_j = torch.tensor([0.2]), torch.tensor([50]), torch.tensor([10])
    assert remix_share(lam, n_i, n_j, kappa=3, tau=0.1).tolist() == lam.tolist()
    assert remix_share(lam, n_i, n_j, kappa=6, tau=0.5).tolist() == lam.tolist()
    assert remix_share(lam, n_i, n_j, kappa=5, tau=0.3).tolist() == [0.0]


def test_each_image_has_its_own_share(rng):
    counts = torch.tensor([1000, 10])
    targets = torch.arange(64) % 2
    images = torch.randn(64, 3, 2, 2, generator=rng(1))
    for seed in range(6):
        mixed = Remix()(images, targets, counts, rng(seed))
        plain = Mixup()(images, targets, counts, rng(seed))
        assert torch.equal(mixed.images, plain.images)  # only the labels differ from mixup
        assert torch.equal(mixed.targets_b, plain.targets_b)
        lam = float(plain.share[0])
        for a, b, share in zip(targets, mixed.targets_b, mixed.share.tolist(), strict=True):
            uneven = {(0, 1): 0.0 if lam < 0.5 else lam, (1, 0): 1.0 if lam > 0.5 else lam}
            assert share == pytest.approx(uneven.get((int(a), int(b)), lam))


@pytest.mark.parametrize("options", [{"alpha": 0}, {"kappa": 0.5}, {"tau": 1.5}, {"tau": -0.1}])
def test_bad_parameters(options):
    name, value = next(iter(options.items()))
    with pytest.raises(UserError, match=f"{name} is {value}"):
        Remix(**options)


@pytest.mark.parametrize("labels", [[0, 1, 0, 2], [0, -1, 1, 0]])
def test_a_label_without_a_count_is_refused(labels):
    with pytest.raises(UserError, match=f"from {min(labels)} to {max(labels)} but .* 2 classes"):
        Remix()(torch.zeros(4, 3, 2, 2), torch.tensor(labels), [5, 3])
