"""Class counts and labels: a list, an array or a tensor, and the same everywhere."""

import numpy as np
import pytest
import torch

from lt_lightning import losses, post_hoc, samplers
from lt_lightning.errors import UserError
from lt_lightning.inputs import check_class_counts, check_labels
from lt_lightning.losses import DeltaRule, WeightRule
from lt_lightning.metrics import PositionalGroups, ShotGroups
from lt_lightning.samplers import ClassBalanced, ClassIndex, SamplingRule

COUNTS = [500, 37, 9, 1]
KINDS = {
    "list": COUNTS,
    "tuple": tuple(COUNTS),
    "numpy": np.array(COUNTS),
    "numpy uint16": np.array(COUNTS, dtype=np.uint16),
    "numpy float": np.array(COUNTS, dtype=np.float32),
    "list of numpy": list(np.array(COUNTS)),
    "tensor": torch.tensor(COUNTS),
    "int32 tensor": torch.tensor(COUNTS, dtype=torch.int32),
}
LOGITS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([0, 1, 2, 3, 0])


def rules(package, base):
    found = [getattr(package, name) for name in package.__all__]
    kinds = [c for c in found if isinstance(c, type) and issubclass(c, base)]
    return [c for c in kinds if not getattr(c, "__abstractmethods__", ())]


CALLS = {
    **{c.__name__: c() for c in rules(losses, WeightRule) + rules(losses, DeltaRule)},
    **{
        c.__name__: lambda n, c=c: c().class_probabilities(n, 3, 10)
        for c in rules(samplers, SamplingRule)
    },
    "log_prior": losses.log_prior,
    "ldam_margins": losses.ldam_margins,
    "quantity_factors": losses.quantity_factors,
    "class_smoothing": losses.class_smoothing,
    "class_groups": lambda n: losses.class_groups(n, (10, 100)),
    "adjust_logits": lambda n: post_hoc.adjust_logits(LOGITS, n),
    "multiply_logits": lambda n: post_hoc.multiply_logits(LOGITS, n, 0.5),
    "fit_tau": lambda n: torch.tensor(post_hoc.fit_tau(LOGITS, TARGETS, n)),
    "ShotGroups": lambda n: ShotGroups()(n),
    "PositionalGroups": lambda n: PositionalGroups({"many": 1, "few": 3})(n),
}


@pytest.mark.parametrize("name", CALLS)
def test_counts_may_be_of_any_kind(name):
    want = CALLS[name](KINDS["tensor"])
    for kind, given in KINDS.items():
        got = CALLS[name](given)
        same = got == want if isinstance(want, dict) else torch.equal(got, want)
        assert same, kind


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([5, 0, 3], r"below 1 for the classes \[1\]"),
        (np.array([5, -2]), r"below 1 for the classes \[1\]"),
        ([5.0, 2.5], "whole numbers"),
        ([[5, 2], [1]], "give a list, an array or a tensor"),
        (["5", "2"], "give a list, an array or a tensor"),
        ({0: 5, 1: 2}, "give a list, an array or a tensor"),
        (None, "class_counts is None"),
        (torch.tensor([True, True]), "give a list, an array or a tensor"),
    ],
)
@pytest.mark.parametrize("name", ["InverseFrequency", "AdjustmentDelta", "Reversed", "log_prior"])
def test_bad_counts_are_refused_everywhere(name, counts, words):
    with pytest.raises(UserError, match=words):
        CALLS[name](counts)


def test_a_class_may_be_empty_where_groups_are_made():
    assert ShotGroups()([200, 0]) == {"many": [0], "few": [1]}
    with pytest.raises(UserError, match="below 0 for the classes"):
        ShotGroups()([200, -1])
    assert check_class_counts([3, 0], least=0).tolist() == [3, 0]


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_labels_may_be_of_any_kind(kind):
    index = ClassIndex(kind([0, 1, 1, 2]))
    assert index.counts.tolist() == [1, 2, 1]
    assert list(ClassBalanced().sampler(kind([0, 1, 1, 2]))) == list(
        ClassBalanced().sampler(torch.tensor([0, 1, 1, 2]))
    )


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, -1], "goes down to -1"),
        ([0.5, 1], "whole numbers"),
        ([[0, 1]], r"shape \(1, 2\)"),
        (["cat", "dog"], "labels is"),
    ],
)
def test_bad_labels_are_refused(labels, words):
    with pytest.raises(UserError, match=words):
        check_labels(labels)
