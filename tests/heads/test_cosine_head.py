import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead


def test_logits_are_scaled_cosines():
    torch.manual_seed(0)
    head, x = CosineHead(4, 3, scale=16.0), 5 * torch.randn(6, 4)
    with torch.no_grad():
        head.weight.mul_(torch.tensor([[0.1], [1.0], [7.0]]))
    rows, found = head.weight.tolist(), head(x).tolist()
    for n, feature in enumerate(x.tolist()):
        for c, row in enumerate(rows):
            dot = sum(a * b for a, b in zip(feature, row, strict=True))
            cosine = dot / math.hypot(*feature) / math.hypot(*row)
            assert found[n][c] == pytest.approx(16 * cosine, abs=1e-4)


def test_logits_do_not_depend_on_the_length_of_the_feature():
    head, x = CosineHead(8, 5), torch.randn(3, 8)
    torch.testing.assert_close(head(1000 * x), head(x))
    assert head(x).abs().max() <= head.scale


def test_equal_directions_give_the_scale_itself():
    head = CosineHead(6, 4, scale=30.0)
    torch.testing.assert_close(head(3 * head.weight).diagonal(), torch.full((4,), 30.0))


def test_rows_start_with_length_one_in_all_directions():
    torch.manual_seed(0)
    weight = CosineHead(64, 500).weight.detach()
    torch.testing.assert_close(weight.norm(dim=1), torch.ones(500))
    assert abs(float(weight.mean())) < 0.01


def test_zero_feature_gives_zero_logits_and_a_finite_gradient():
    head, x = CosineHead(8, 5), torch.zeros(2, 8, requires_grad=True)
    logits = head(x)
    assert logits.eq(0).all()
    logits.sum().backward()
    assert x.grad.isfinite().all()
    assert head.weight.grad.isfinite().all()


def test_zero_row_gives_zero_logits():
    head = CosineHead(8, 2)
    with torch.no_grad():
        head.weight[1] = 0
    assert head(torch.randn(3, 8))[:, 1].eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_features_are_compared_in_float32(dtype):
    head, x = CosineHead(64, 5), torch.randn(4, 64).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, head(x.float()))


def test_float64_stays_float64():
    head = CosineHead(8, 5).double()
    assert head(torch.randn(2, 8, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(UserError, match=f"cosine head is {scale}"):
        CosineHead(8, 5, scale=scale)
