import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead

D, C = 200, 50


def test_logits_are_products_with_the_rows_plus_bias():
    head, x = LinearHead(4, 3), torch.randn(5, 4)
    for n in range(5):
        for c in range(3):
            value = sum(float(x[n, d]) * float(head.weight[c, d].detach()) for d in range(4))
            want = value + float(head.bias[c].detach())
            assert float(head(x)[n, c].detach()) == pytest.approx(want, abs=1e-5)


def test_bias_can_be_left_out():
    assert LinearHead(4, 3, bias=False).bias is None
    assert LinearHead(4, 3).bias.shape == (3,)


def test_kaiming_start_is_normal_with_variance_two_over_width():
    torch.manual_seed(0)
    weight, std = LinearHead(D, C).weight.detach(), math.sqrt(2 / D)
    assert float(weight.std()) == pytest.approx(std, rel=0.03)
    assert float(weight.abs().max()) > 3 * std


def test_uniform_start_is_that_of_pytorch():
    torch.manual_seed(0)
    head = LinearHead(D, C, init="uniform")
    torch.manual_seed(0)
    plain = torch.nn.Linear(D, C)
    assert torch.equal(head.weight, plain.weight)
    assert torch.equal(head.bias, plain.bias)
    assert float(head.weight.detach().abs().max()) <= 1 / math.sqrt(D)


@pytest.mark.parametrize("init", ["kaiming", "uniform"])
def test_bias_starts_as_pytorch_does(init):
    torch.manual_seed(0)
    bias = LinearHead(D, 5000, init=init).bias.detach()
    assert float(bias.abs().max()) <= 1 / math.sqrt(D)
    assert float(bias.std()) == pytest.approx(1 / math.sqrt(3 * D), rel=0.05)


def test_bias_for_sigmoids_starts_every_class_at_one_in_c():
    for classes in (2, 10, 100):
        head = LinearHead(D, classes, bias_init="sigmoid")
        at_zero = torch.sigmoid(head(torch.zeros(1, D)))[0].tolist()
        assert at_zero == pytest.approx([1 / classes] * classes)
    with pytest.raises(UserError, match="bias_init is sigmoid but bias is false"):
        LinearHead(D, 3, bias=False, bias_init="sigmoid")
