"""Norms of the classifier's rows, for the reports."""

import pytest
import torch
from torch import nn

from lt_lightning.heads import CalibratedHead, CosineHead, LinearHead, ScaledHead
from lt_lightning.heads.weight_norms import weight_norms


@pytest.fixture
def linear():
    head = LinearHead(2, 3)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]]))
    return head


def test_norms_are_those_of_the_rows(linear):
    assert weight_norms(linear, 3).tolist() == [5.0, 2.0, 1.0]


def test_learned_scales_multiply_the_norms(linear):
    head = ScaledHead(linear, 3, frozen=True)
    with torch.no_grad():
        head.scales.copy_(torch.tensor([2.0, -1.0, 0.5]))
    assert weight_norms(head, 3).tolist() == [10.0, 2.0, 0.5]
    assert weight_norms(CalibratedHead(linear, 2, 3), 3).tolist() == [5.0, 2.0, 1.0]


@pytest.mark.parametrize("head", [None, nn.Identity(), CosineHead(2, 3), LinearHead(2, 4)])
def test_none_where_no_row_belongs_to_a_class(head):
    assert weight_norms(head, 3) is None


def test_none_where_a_weight_is_not_finite(linear):
    linear.weight.data[0, 0] = float("nan")
    assert weight_norms(linear, 3) is None
