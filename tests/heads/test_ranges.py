"""Numbers of heads outside their ranges."""

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import (
    CausalNormHead,
    CosineHead,
    LinearHead,
    NearestMeanHead,
    SquashedCosineHead,
    TauNormHead,
)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_turns_the_order_round_is_refused(value):
    features, targets = torch.eye(2), torch.tensor([0, 1])
    with pytest.raises(UserError, match="temperature is"):
        NearestMeanHead(features, targets, 2, temperature=value)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_tau_that_means_nothing_is_refused(value):
    with pytest.raises(UserError, match="tau is"):
        TauNormHead(LinearHead(4, 2), tau=value)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("head", [CosineHead, SquashedCosineHead, CausalNormHead])
def test_a_scale_of_no_logits_is_refused(head, value):
    with pytest.raises(UserError, match="scale of the"):
        head(4, 2, scale=value)
