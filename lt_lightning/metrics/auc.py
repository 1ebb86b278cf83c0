"""How well the probability of a class ranks its images before those of the others."""

from typing import Any

import torch
from torch import Tensor

from lt_lightning.metrics.confusion import check_batch, check_kind
from lt_lightning.metrics.exact import ExactMetric


def one_vs_rest(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the area under the ROC curve of each class against the rest, float64 (C,).

    It is the share of the pairs (image of the class, image of another) in which the first has the
    higher score of the class; equal ones count half. Pairs are counted in whole numbers, so the
    order of the images has no effect.

    Args:
        scores: (N, C), higher for a class that is more probable.
        targets: int64 (N,).

    Returns:
        On the CPU; NaN for a class without an image, or without one of another class.

    >>> one_vs_rest(torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]]), torch.tensor([0, 1, 1]))
    tensor([1., 1.], dtype=torch.float64)
    """
    found = []
    for place, column in enumerate(scores.T):
        own = targets == place
        _, rank = column.unique(return_inverse=True)
        ranks = int(rank.max()) + 1 if len(rank) else 0
        hits = torch.bincount(rank[own], minlength=ranks)
        others = torch.bincount(rank[~own], minlength=ranks)
        below = others.cumsum(0) - others
        pairs = int(hits.sum()) * int(others.sum())
        found.append(int((hits * (2 * below + others)).sum()) / (2 * pairs) if pairs else torch.nan)
    return torch.tensor(found, dtype=torch.float64)


class OneVsRestAUC(ExactMetric):
    """The area under the ROC curve of each class against the rest, float64 (C,).

    It keeps every row of scores, so it is for few classes. An image without a prediction ranks
    last in every class.

    Args:
        num_classes: the number of classes C.

    >>> area = OneVsRestAUC(2)
    >>> area.update(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]))
    >>> area.compute().tolist()
    [1.0, 1.0]
    """

    LIMIT = 100
    scores: list[Tensor]
    targets: list[Tensor]

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("targets", default=[], dist_reduce_fx="cat")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Keep one batch.

        Args:
            logits: (N, C), before softmax.
            targets: whole numbers, (N,).

        Raises:
            UserError: if they do not fit, or the first batch is of probabilities.
        """
        targets = check_batch(logits, targets, self.num_classes)
        if not self.scores and len(logits) > 0:
            check_kind(logits, probabilities=False)
        # The logarithm tells probabilities apart that are all near 0 or near 1.
        rows = logits.detach().double().log_softmax(dim=1).float()
        self.scores.append(torch.where(rows.isnan(), -torch.inf, rows))
        self.targets.append(targets.detach())

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Take the images of the other processes; one without any takes part too."""
        if not self.scores:
            self.scores = [torch.empty(0, self.num_classes, device=self.device)]
            self.targets = [torch.empty(0, dtype=torch.int64, device=self.device)]
        super().sync(*args, **kwargs)

    def compute(self) -> Tensor:
        """Return the areas, NaN for a class without an image, or without one of another class."""
        return one_vs_rest(_joined(self.scores, self.num_classes), _joined(self.targets, 0).long())


def _joined(parts: list[Tensor] | Tensor, columns: int) -> Tensor:
    """Return the rows of all batches; torchmetrics has joined them where it has synchronised."""
    if isinstance(parts, Tensor):
        return parts
    return torch.cat(parts) if parts else torch.empty(0, columns) if columns else torch.empty(0)
