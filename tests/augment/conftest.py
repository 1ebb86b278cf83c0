from collections.abc import Callable

import pytest
import torch
from torch import Tensor


@pytest.fixture
def rng() -> Callable[[int], torch.Generator]:
    return lambda seed: torch.Generator().manual_seed(seed)


@pytest.fixture
def pictures() -> Tensor:
    """64 images with noise, gradients, low contrast, flat and grey ones among them."""
    generator = torch.Generator().manual_seed(7)
    images = torch.randint(256, (64, 3, 17, 24), generator=generator, dtype=torch.uint8)
    images[0] = 9
    images[1] = images[1, :1]
    images[2:12] = images[2:12] // 5 + 60
    ramp = torch.arange(24, dtype=torch.uint8) * 10
    images[12:24] = ramp + torch.arange(12, dtype=torch.uint8).view(12, 1, 1, 1)
    images[24:30, 1] = 0
    return images


def _chi_square(observed: Tensor, expected: Tensor) -> float:
    """How many standard deviations Pearson's statistic lies above its mean."""
    assert observed.shape == expected.shape
    assert int(expected.min()) >= 5
    statistic = ((observed - expected) ** 2 / expected).sum()
    freedom = observed.numel() - 1
    return float((statistic - freedom) / (2 * freedom) ** 0.5)


@pytest.fixture
def chi_square() -> Callable[[Tensor, Tensor], float]:
    return _chi_square
