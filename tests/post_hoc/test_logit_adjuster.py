import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.post_hoc import LogitAdjuster

COUNTS = torch.tensor([90, 10])


def test_subtracts_tau_log_prior():
    change = LogitAdjuster(tau=2.0)
    change.fit(COUNTS, None, None)
    got = change(torch.tensor([[1.0, 0.0]]))
    log = torch.tensor([0.9, 0.1]).log()
    assert torch.allclose(got, torch.tensor([[1.0, 0.0]]) - 2 * log)
    assert change.describe() == "logit_adjustment_tau_2"


def test_fits_tau_on_held_out_images():
    # The tail's images lack 1.5 to be told from the head: log 9 = 2.197 per unit of tau.
    logits = torch.tensor([[3.0, 0.0], [1.5, 0.0]])
    change = LogitAdjuster(tau=None)
    assert change.needs_held_out
    change.fit(COUNTS, logits, torch.tensor([0, 1]))
    assert change.tau == pytest.approx(0.7)
    assert change(logits).argmax(dim=1).tolist() == [0, 1]


def test_negative_tau_is_refused():
    with pytest.raises(UserError, match="tau is -1"):
        LogitAdjuster(tau=-1)
