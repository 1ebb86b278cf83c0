"""Which class a row of logits predicts: the one rule of metrics, files and figures."""

import torch
from torch import Tensor

NO_CLASS = -1  # equals no target, so that such a row is a miss


def predicted_class(logits: Tensor) -> Tensor:
    """Return the class of each row, of equal logits the first; `NO_CLASS` where there is none.

    A row predicts nothing where it gives no probabilities: with a NaN, a +infinity, or -infinity
    for every class. A single -infinity is a class that cannot be. It does not wait for the device.

    Args:
        logits: (N, C), before softmax; half precision is widened, which changes no order.

    Returns:
        int64 (N,).

    >>> predicted_class(torch.tensor([[0.0, 1.0], [float("inf"), 0.0]])).tolist()
    [1, -1]
    """
    wide = logits if logits.dtype == torch.float64 else logits.float()
    largest, index = wide.max(dim=1)  # the largest of a row with a NaN is NaN
    return torch.where(largest.isfinite(), index, NO_CLASS)


def among_first(logits: Tensor, targets: Tensor, count: int) -> Tensor:
    """Return whether the target is among the `count` largest logits, of equals the first, (N,).

    A target of -infinity is a class that cannot be, and never among them.

    >>> among_first(torch.tensor([[2.0, 1.0, 1.0]]), torch.tensor([1]), 2).tolist()
    [True]
    """
    own = logits.gather(1, targets[:, None])
    earlier = torch.arange(logits.shape[1], device=logits.device) < targets[:, None]
    before = (logits > own) | ((logits == own) & earlier)
    return (before.sum(dim=1) < count) & (own[:, 0] > -torch.inf)
