import math

import pytest
import torch
from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead


def test_embeddings_follow_the_equation():
    torch.manual_seed(0)
    head = ProjectionHead(4, out_features=3)
    x = torch.randn(5, 4)
    first, _, _, second = head.layers
    with torch.no_grad():
        found = head(x).tolist()
    for feature, embedding in zip(x.tolist(), found, strict=True):
        hidden = [
            max(0.0, sum(a * b for a, b in zip(row, feature, strict=True)) + shift)
            for row, shift in zip(first.weight.tolist(), first.bias.tolist(), strict=True)
        ]
        raw = [
            sum(a * b for a, b in zip(row, hidden, strict=True)) + shift
            for row, shift in zip(second.weight.tolist(), second.bias.tolist(), strict=True)
        ]
        assert embedding == pytest.approx([value / math.hypot(*raw) for value in raw], abs=1e-6)


def test_widths_and_batch_norm():
    head = ProjectionHead(4, out_features=3, hidden=7, batch_norm=True)
    assert isinstance(head.layers[1], nn.BatchNorm1d)
    assert (head.layers[0].out_features, head.out_features) == (7, 3)
    assert ProjectionHead(4).layers[0].out_features == 4
    assert not any(isinstance(part, nn.BatchNorm1d) for part in ProjectionHead(4).modules())


def test_features_of_zero_have_no_nan():
    head = ProjectionHead(4, out_features=3)
    nn.init.zeros_(head.layers[3].bias)
    nn.init.zeros_(head.layers[0].bias)
    x = torch.zeros(2, 4, requires_grad=True)
    out = head(x)
    out.sum().backward()
    assert torch.equal(out, torch.zeros(2, 3))
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_length_is_one_under_autocast(dtype):
    with torch.autocast("cpu", dtype):
        out = ProjectionHead(4)(100 * torch.randn(6, 4))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.norm(dim=1), torch.ones(6))


@pytest.mark.parametrize("widths", [{"out_features": 0}, {"hidden": 0}])
def test_width_below_one_is_refused(widths):
    with pytest.raises(UserError, match="give 1 or more each"):
        ProjectionHead(4, **widths)
