"""The squashing cosine classifier against its equation."""

import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import SquashedCosineHead, squashed_cosine_logits


def test_logits_are_those_of_the_equation():
    torch.manual_seed(0)
    head, x = SquashedCosineHead(5, 3, scale=12.0).double(), torch.randn(4, 5).double()
    for n, row in enumerate(x.tolist()):
        length = math.hypot(*row)
        ex = [length / (1 + length) * v / length for v in row]
        for c, weight in enumerate(head.weight.tolist()):
            ew = [v / math.hypot(*weight) for v in weight]
            want = 12 * sum(a * b for a, b in zip(ex, ew, strict=True))
            assert head(x)[n, c].item() == pytest.approx(want, rel=1e-9)


def test_long_features_are_scored_by_the_cosine_and_zeros_by_nothing():
    weight = torch.eye(2)
    rows = torch.tensor([[1e6, 0.0], [0.0, 0.0], [1.0, 0.0]])
    logits = squashed_cosine_logits(rows, weight, scale=16.0)
    torch.testing.assert_close(logits, torch.tensor([[16.0, 0], [0, 0], [8, 0]]))
    rows.requires_grad_()
    squashed_cosine_logits(rows, weight).sum().backward()
    assert rows.grad.isfinite().all()


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_scale_that_cannot_be_is_refused(scale):
    with pytest.raises(UserError, match="give a positive number"):
        SquashedCosineHead(5, 3, scale=scale)
