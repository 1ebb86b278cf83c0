"""Which test images are looked at one by one: the worst mistakes, and those of the rarest classes.

Of a mistake that is made with much confidence there is something to learn: a wrong label, two
classes that look alike, a picture unlike those of the training.
"""

import torch
from torch import Tensor

from lt_lightning.metrics.prediction import NO_CLASS


def worst_mistakes(predicted: Tensor, confidence: Tensor, labels: Tensor, most: int) -> Tensor:
    """Return the places of the wrong images of the highest confidence, that one first, (K,).

    Of equals the first comes first; an image without a prediction is not among them.

    Args:
        predicted: int64 (N,), as `predicted_class` returns it.
        confidence: float64 (N,), the probability of the predicted class.
        labels: int64 (N,).
        most: K is at most so many.
    """
    wrong = torch.nonzero((predicted != labels) & (predicted != NO_CLASS)).flatten()
    order = confidence[wrong].sort(descending=True, stable=True).indices
    return wrong[order[:most]]


def of_rarest(labels: Tensor, class_counts: Tensor, classes: int, each: int) -> Tensor:
    """Return the places of some images of the rarest classes, the rarest class first, (K,).

    A class without any of these images is passed over; of equal classes the first comes first. At
    most half of all classes are called rare, one at least. Of a class the images are taken evenly,
    for neighbours are often alike.

    Args:
        labels: int64 (N,), of the images.
        class_counts: int64 (C,), training images per class.
        classes: at most so many.
        each: images of a class, at most.
    """
    present = torch.bincount(labels, minlength=len(class_counts)) > 0
    order = class_counts.sort(stable=True).indices
    some = min(classes, max(len(class_counts) // 2, 1))
    found = [
        _evenly(torch.nonzero(labels == k).flatten(), each) for k in order[present[order]][:some]
    ]
    return torch.cat(found) if found else labels[:0]


def _evenly(places: Tensor, most: int) -> Tensor:
    shown = min(len(places), most)
    return places[torch.linspace(0, len(places) - 1, shown).round().long()]
