"""What every metric of classes takes for targets and logits."""

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.metrics import ClassStats, ConfusionCounts, OneVsRestAUC

LOGITS = [[2.0, 0.0], [0.0, 2.0]]


@pytest.mark.parametrize("metric", [ClassStats, ConfusionCounts, OneVsRestAUC])
def test_targets_are_whole_numbers_of_any_type_and_classes(metric):
    logits, targets = torch.tensor(LOGITS), torch.tensor([0, 1])
    known = metric(2)
    known.update(logits, targets)
    for kind in (torch.int32, torch.uint8, torch.int8):
        other = metric(2)
        other.update(logits, targets.to(kind))
        assert str(other.compute()) == str(known.compute())
    for given, message in (
        ((logits, torch.tensor([0, 2])), "The targets run from 0 to 2 but there are 2 classes"),
        ((logits, torch.tensor([-100, 1])), "The targets run from -100 to 1"),
        ((logits, targets.float()), "targets have the type torch.float32: give one class index"),
        ((logits, targets == 1), "torch.bool"),
        ((logits, [0, 1]), "targets is a list: give a tensor"),
        ((LOGITS, targets), "logits is a list: give a tensor"),
        ((logits.numpy(), targets), "logits is a ndarray: give a tensor"),
    ):
        with pytest.raises(UserError, match=message):
            known.update(*given)  # not in the first batch alone
