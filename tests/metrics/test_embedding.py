"""Features in the plane: which images are shown, and what t-SNE keeps."""

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.metrics.embedding import choose_shown, tsne


@pytest.mark.parametrize(
    ("labels", "limit", "expected"),
    [
        ([0, 1, 0, 1, 0], 4, [0, 2, 1, 3]),  # two of each, in order
        ([0, 0, 0, 2], 2, [0, 3]),
        ([0, 0, 1], 100, [0, 1, 2]),
        ([3, 2, 1, 0], 2, [3, 1]),  # classes 0 and 2 of four
        ([], 10, []),
    ],
)
def test_as_many_images_of_each_class(labels, limit, expected):
    assert choose_shown(torch.tensor(labels, dtype=torch.int64), limit).tolist() == expected


def test_8142_classes_give_at_most_the_limit():
    labels = torch.arange(8142).repeat_interleave(3)
    found = choose_shown(labels)
    assert len(found) == 2000
    assert len(set(labels[found].tolist())) == 2000


def test_far_groups_stay_apart():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(30) % 3
    centres = 20 * torch.eye(3)[labels]
    points = tsne(centres + torch.randn(30, 3, generator=generator))
    assert points.shape == (30, 2)
    for k in range(30):
        distances = (points - points[k]).norm(dim=1)
        distances[k] = float("inf")
        assert labels[distances.argmin()] == labels[k]


@pytest.mark.parametrize("features", [torch.zeros(6, 3), torch.arange(6.0).view(6, 1)])
def test_features_without_spread_are_finite(features):
    assert bool(tsne(features).isfinite().all())


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (torch.zeros(4, 3), "There are 4 test images: t-SNE needs 5"),
        (torch.full((6, 3), float("nan")), "not finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(features, says):
    with pytest.raises(UserError, match=says):
        tsne(features)
