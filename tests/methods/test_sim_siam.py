"""SimSiam against its definition, and where it has no gradient."""

import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.methods import SimSiam
from lt_lightning.methods.sim_siam import alignment


def test_alignment_is_the_mean_cosine_of_a_slow_loop():
    a, b = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    total = 0.0
    for p, z in zip(a.tolist(), b.tolist(), strict=True):
        dot = sum(x * y for x, y in zip(p, z, strict=True))
        total += dot / math.hypot(*p) / math.hypot(*z)
    assert float(alignment(a, b)) == pytest.approx(total / 5, rel=1e-5)


def test_target_has_no_gradient():
    g = torch.Generator().manual_seed(0)
    a, b = (torch.randn(5, 7, generator=g).requires_grad_() for _ in range(2))
    alignment(a, b).backward()
    assert float(a.grad.abs().sum()) > 0
    assert b.grad is None


def test_step_is_the_symmetric_loss_of_both_views(lab):
    module = lab.module(SimSiam)
    images = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    step = module.unlabelled_step(images, 0)
    z = [module.projection(module.features(view)) for view in images.chunk(2)]
    p = [module.predictor(one) for one in z]
    wanted = -(alignment(p[0], z[1]) + alignment(p[1], z[0])) / 2
    torch.testing.assert_close(step["loss"], wanted, rtol=1e-4, atol=1e-4)
    near = z[0] / z[0].norm(dim=1, keepdim=True)
    spread = (near - near.mean(0)).square().mean(0).sqrt().mean() * 8
    torch.testing.assert_close(step["spread"], spread, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("width", [0, 6])
def test_width_that_has_no_quarter_is_refused(lab, width):
    with pytest.raises(UserError, match=f"width is {width}: give a multiple of 4"):
        lab.module(SimSiam, width=width)
