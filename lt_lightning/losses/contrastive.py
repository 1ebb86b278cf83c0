"""What the losses on embeddings share: float32, all processes' batches, anchors that count."""

import math
from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_class_counts, check_tensors, wide
from lt_lightning.losses.checks import (
    check_choice,
    check_classes,
    check_each,
    check_lengths,
    check_range,
)
from lt_lightning.losses.gather import gather, own_rows


class ContrastiveTerm(NamedTuple):
    """A contrastive loss, and the share of anchors that it could say nothing about.

    Attributes:
        loss: the mean over the anchors that count, 0, with zero gradients, where none does; or
            unreduced, (M,).
        dropped: share of the anchors without a positive, in [0, 1], no gradient.
    """

    loss: Tensor
    dropped: Tensor


class ContrastiveLoss(nn.Module, ABC):
    """A loss on embeddings instead of logits, the mean over all anchors that have a positive.

    On several processes the batches are gathered with their gradients, so that value and gradient
    are those of one process with the whole batch. Each process must give equally many embeddings,
    and call the loss equally often.

    Args:
        class_counts: training images per class, (C,), each at least 1.
        embedding_dim: width d of the embeddings, at least 1.
        temperature: tau, above 0.
        reduction: "mean" over the anchors that count; "none" gives the value of each of this
            process's anchors, 0 where it has no positive.

    Attributes:
        takes_prototypes: whether `forward` may be given prototypes from outside.

    Raises:
        UserError: if an argument is out of range.
    """

    takes_prototypes: bool = False

    def __init__(
        self,
        class_counts: ClassCounts,
        embedding_dim: int,
        temperature: float,
        *,
        reduction: Literal["mean", "none"] = "mean",
    ) -> None:
        super().__init__()
        self.num_classes = len(check_class_counts(class_counts))
        check_range("embedding_dim", embedding_dim, 1)
        self.embedding_dim = embedding_dim
        self.temperature = check_range("temperature", temperature, open_low=True)
        check_choice("reduction", reduction, ("mean", "none"))
        self.reduction = reduction
        self._seen_values = False

    @abstractmethod
    def per_anchor(self, embeddings: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each anchor, (M,), and whether it has a positive, bool (M,).

        An anchor without one has the value 0. A subclass that sets `takes_prototypes` takes
        `prototypes` (C, d) or none as a third argument.
        """

    def forward(
        self, embeddings: Tensor, targets: Tensor, prototypes: Tensor | None = None
    ) -> ContrastiveTerm:
        """Return the mean over the anchors that have a positive, or the value of each.

        Args:
            embeddings: (M, d), each of length 1; views of one image are rows of their own.
            targets: int64 (M,).
            prototypes: (C, d), each of length 1; only for a loss that takes them.

        Raises:
            UserError: if the shapes cannot belong together, or (first batch) a target is no class
                or an embedding not of length 1.
        """
        self._check(embeddings, targets)
        if prototypes is not None:
            check_tensors(prototypes=prototypes)
        if not self._seen_values and len(embeddings) > 0:
            check_classes(targets, self.num_classes)
            check_lengths(embeddings)
            self._seen_values = True
        # half precision is too coarse for logits of 1 / tau, and autocast would go back to it
        with torch.autocast(embeddings.device.type, enabled=False):
            z, y = gather(wide(embeddings)), gather(targets)
            extra = () if prototypes is None else (wide(prototypes),)
            values, counts = self.per_anchor(z, y, *extra)
        check_each(values, z, f"{type(self).__name__}.per_anchor")
        kept = torch.where(counts, values, 0.0)
        dropped = 1 - counts.to(kept.dtype).sum() / max(len(y), 1)
        if self.reduction == "none":
            return ContrastiveTerm(own_rows(kept, len(embeddings)), dropped)
        return ContrastiveTerm(kept.sum() / counts.sum().clamp(min=1), dropped)

    def _check(self, embeddings: Tensor, targets: Tensor) -> None:
        check_tensors(embeddings=embeddings, targets=targets)
        if embeddings.ndim != 2 or embeddings.shape[1] != self.embedding_dim:
            raise UserError(
                f"The embeddings have the shape {tuple(embeddings.shape)} but "
                f"{type(self).__name__} was built for the width {self.embedding_dim}: give "
                f"embeddings of the shape (M, {self.embedding_dim})."
            )
        if targets.shape != embeddings.shape[:1] or targets.dtype != torch.int64:
            raise UserError(
                f"The targets have the shape {tuple(targets.shape)} and the type {targets.dtype}: "
                f"give one class index per embedding, int64 ({len(embeddings)},)."
            )


def contrast(
    similarities: Tensor, positive: Tensor, allowed: Tensor, log_weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return -mean over positives of log(exp(s_ij) / sum over allowed k of w_ik exp(s_ik)), (M,).

    Args:
        similarities: s, already divided by the temperature, (M, K).
        positive: which columns are positives of which row, bool (M, K).
        allowed: which columns are in the denominator, bool (M, K).
        log_weight: log w, (M, K); none is 0.

    Returns:
        The values, 0 for a row without a positive, and which rows have one, bool (M,).
    """
    has = positive.any(dim=1)
    weighted = similarities if log_weight is None else similarities + log_weight
    # A row without a positive may have no column at all, whose logsumexp has the gradient NaN.
    masked = weighted.masked_fill(~(allowed | ~has[:, None]), -math.inf)
    log_prob = similarities - masked.logsumexp(dim=1, keepdim=True)
    total = torch.where(positive, log_prob, 0.0).sum(dim=1)
    return -total / positive.sum(dim=1).clamp(min=1), has
