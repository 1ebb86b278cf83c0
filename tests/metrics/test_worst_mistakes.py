"""Which mistakes and which rare images are shown, against slow loops."""

import pytest
import torch

from lt_lightning.metrics.mistakes import of_rarest, worst_mistakes
from lt_lightning.metrics.prediction import NO_CLASS


def slow_worst(predicted, confidence, labels, most):
    left = [k for k in range(len(labels)) if predicted[k] not in (labels[k], NO_CLASS)]
    found = []
    while left and len(found) < most:
        best = left[0]
        for k in left[1:]:
            if confidence[k] > confidence[best]:
                best = k
        found.append(best)
        left.remove(best)
    return found


@pytest.mark.parametrize("most", [1, 7, 500])
def test_the_worst_are_those_of_a_slow_loop(most):
    draw = torch.Generator().manual_seed(0)
    labels, predicted = torch.randint(0, 4, (2, 200), generator=draw)
    predicted[torch.rand(200, generator=draw) < 0.1] = NO_CLASS
    confidence = torch.randint(0, 20, (200,), generator=draw).double() / 20  # with many equals
    found = worst_mistakes(predicted, confidence, labels, most).tolist()
    assert found == slow_worst(*(x.tolist() for x in (predicted, confidence, labels)), most)
    assert len(found) == min(most, int(((predicted != labels) & (predicted >= 0)).sum()))


def test_no_mistake_is_no_place():
    labels = torch.tensor([1, 0])
    assert worst_mistakes(labels, torch.ones(2).double(), labels, 3).tolist() == []


def slow_rarest(labels, counts, classes, each):
    present = [c for c in range(len(counts)) if c in labels]
    rare = sorted(present, key=lambda c: (counts[c], c))[: min(classes, max(len(counts) // 2, 1))]
    found = []
    for c in rare:
        own = [k for k, y in enumerate(labels) if y == c]
        shown = min(each, len(own))
        found += [own[round(k * (len(own) - 1) / max(shown - 1, 1))] for k in range(shown)]
    return found


@pytest.mark.parametrize(("classes", "each"), [(1, 1), (2, 3), (9, 100)])
def test_the_rarest_are_those_of_a_slow_loop(classes, each):
    draw = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 7, (90,), generator=draw)
    labels[labels == 5] = 0  # the rarest class has no test image
    counts = torch.tensor([90, 40, 7, 7, 3, 1, 20])
    found = of_rarest(labels, counts, classes, each).tolist()
    assert found == slow_rarest(labels.tolist(), counts.tolist(), classes, each)
    assert 5 not in labels[found]


def test_of_two_classes_one_is_rare():
    labels = torch.tensor([0, 1, 1])
    assert of_rarest(labels, torch.tensor([9, 2]), 6, 8).tolist() == [1, 2]
    assert of_rarest(labels[:0], torch.tensor([9, 2]), 6, 8).tolist() == []
