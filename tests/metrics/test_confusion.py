import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.metrics import ClassStats, ConfusionCounts


def test_rows_are_true_classes():
    counts = ConfusionCounts(3)
    predicted, targets = [0, 1, 1, 2, 0], [0, 0, 0, 2, 2]
    counts.update(torch.eye(3)[predicted], torch.tensor(targets))
    assert counts.compute().tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 1]]


def test_split_and_order_do_not_matter_and_the_diagonal_is_class_stats():
    g = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(300, 5, generator=g), torch.randint(0, 5, (300,), generator=g)
    logits[3] = math.nan
    whole, parts, stats = ConfusionCounts(5), ConfusionCounts(5), ClassStats(5, groups={})
    whole.update(logits, targets)
    stats.update(logits, targets)
    for part in torch.randperm(300, generator=g).split(17):
        parts.update(logits[part], targets[part])
    assert torch.equal(whole.compute(), parts.compute())
    assert whole.compute().sum() == 299
    assert torch.equal(whole.compute().diagonal(), stats.per_class()["correct"])


def test_counts_stay_int64():
    counts = ConfusionCounts(3).half().set_dtype(torch.float16)
    counts.update(torch.eye(3).half(), torch.arange(3))
    assert counts.compute().dtype == torch.int64
    assert counts.compute().tolist() == torch.eye(3).long().tolist()


def test_nothing_counted():
    assert ConfusionCounts(2).compute().tolist() == [[0, 0], [0, 0]]


def test_too_many_classes():
    with pytest.raises(UserError, match="num_classes is 1001"):
        ConfusionCounts(1001)


def test_wrong_shapes():
    with pytest.raises(UserError, match="give"):
        ConfusionCounts(3).update(torch.zeros(2, 4), torch.zeros(2).long())
