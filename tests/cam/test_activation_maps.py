"""The map of a class against a slow loop, and what has none."""

import pytest
import torch

from lt_lightning.backbones import BilateralResNetCIFAR, ResNetCIFAR
from lt_lightning.cam import activation_maps, class_weight
from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead, LinearHead, ScaledHead
from lt_lightning.losses import BalancedGroupSoftmax
from lt_lightning.methods import ERM

COUNTS = [9, 5, 2]


def tiny():
    return ResNetCIFAR(depth=8, width=4)


def model(**options):
    torch.manual_seed(0)
    made = ERM(class_counts=COUNTS, backbone=tiny, **options)
    for part in made.backbone.modules():
        if isinstance(part, torch.nn.BatchNorm2d):  # as after training
            part.running_mean.uniform_(-0.5, 0.5)
            part.running_var.uniform_(0.5, 2)
    return made.eval()


def slow_map(maps, weight):
    """Return the map of one image from its maps (D, h, w) and the row of its class."""
    channels, height, width = maps.shape
    values = [
        [
            sum(weight[d].item() * maps[d, i, j].item() for d in range(channels))
            for j in range(width)
        ]
        for i in range(height)
    ]
    low, high = min(map(min, values)), max(map(max, values))
    return [[(value - low) / (high - low) for value in row] for row in values]


@pytest.fixture
def images():
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_map_is_that_of_the_equation(images):
    erm, targets = model(), torch.tensor([0, 2, 1, 2])
    found = activation_maps(erm, images, targets)
    with torch.no_grad():
        maps = erm.backbone.maps(images)
    for k, target in enumerate(targets.tolist()):
        expected = torch.tensor(slow_map(maps[k], erm.head.weight[target]))
        torch.testing.assert_close(found[k], expected, rtol=1e-4, atol=1e-5)


def test_map_of_another_class_is_another(images):
    erm = model()
    first, second = (activation_maps(erm, images, torch.full((4,), c)) for c in (0, 1))
    assert not torch.allclose(first, second, atol=0.1)


def test_map_spans_zero_to_one_and_keeps_no_graph(images):
    found = activation_maps(model(), images, torch.zeros(4, dtype=torch.int64))
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert found.amin(dim=(1, 2)).tolist() == [0.0] * 4
    assert found.amax(dim=(1, 2)).tolist() == [1.0] * 4


def test_network_is_in_evaluation_mode_for_the_maps_only(images):
    erm, targets = model(), torch.zeros(4, dtype=torch.int64)
    expected = activation_maps(erm, images, targets)
    state = {key: value.clone() for key, value in erm.state_dict().items()}
    erm.train()
    assert torch.equal(activation_maps(erm, images, targets), expected)
    assert erm.training
    assert erm.backbone.training
    assert all(torch.equal(erm.state_dict()[key], value) for key, value in state.items())


def test_map_without_a_range_is_zero(images):
    erm = model()
    torch.nn.init.zeros_(erm.head.weight)
    found = activation_maps(erm, images, torch.zeros(4, dtype=torch.int64))
    assert not found.any()


def test_map_of_a_cosine_classifier_is_that_of_its_direction(images):
    erm = model(head=lambda d, c: CosineHead(d, c, scale=30.0))
    linear = model()
    linear.backbone.load_state_dict(erm.backbone.state_dict())
    targets = torch.tensor([0, 1, 2, 1])
    with torch.no_grad():
        linear.head.weight.copy_(7 * erm.head.weight)
    torch.testing.assert_close(
        activation_maps(erm, images, targets), activation_maps(linear, images, targets)
    )


def test_classifier_without_a_row_for_each_class_is_refused():
    scaled = ScaledHead(LinearHead(16, 3), 3, frozen=True)
    with pytest.raises(UserError, match=r"the run has ScaledHead: use a run with LinearHead"):
        class_weight(scaled, 3)
    grouped = ERM(class_counts=[2000, 50, 5], backbone=tiny, loss=BalancedGroupSoftmax)
    with pytest.raises(UserError, match="one row of linear weights for each class"):
        class_weight(grouped.head, 3)


def test_backbone_without_maps_is_refused(images):
    erm = ERM(class_counts=COUNTS, backbone=lambda: BilateralResNetCIFAR(depth=8, width=4))
    with pytest.raises(UserError, match="BilateralResNetCIFAR has no class-activation maps"):
        activation_maps(erm, images, torch.zeros(4, dtype=torch.int64))
