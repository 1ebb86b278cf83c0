"""Balanced group softmax: one softmax per group of classes of similar size."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_class_counts, wide
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.reduction import batch_sum
from lt_lightning.losses.weights import WeightRule


def class_groups(class_counts: ClassCounts, boundaries: Sequence[int]) -> Tensor:
    """Return the group of each class, int64 (C,), numbered from 0 without empty groups.

    Group 0 has counts below boundaries[0], the next those below boundaries[1], and so on.

    >>> class_groups(torch.tensor([500, 12, 10, 1]), (10, 100, 1000)).tolist()
    [2, 1, 1, 0]
    """
    counts = check_class_counts(class_counts)
    groups = torch.bucketize(counts, torch.tensor(list(boundaries), dtype=counts.dtype), right=True)
    present = torch.bincount(groups) > 0
    return (present.cumsum(0) - 1)[groups]


def group_log_sums(logits: Tensor, groups: Tensor) -> Tensor:
    """Return the log of each group's softmax denominator, (N, G).

    Args:
        logits: C class logits, then one "others" logit per group, (N, C + G).
        groups: the group of each class, int64 (C,).
    """
    num_classes = len(groups)
    others = logits[:, num_classes:]
    sums = []
    for group in range(others.shape[1]):
        inside = logits[:, :num_classes].masked_fill(groups != group, float("-inf"))
        sums.append(torch.cat([inside, others[:, group : group + 1]], dim=1).logsumexp(dim=1))
    return torch.stack(sums, dim=1)


def balanced_group_softmax_loss(
    logits: Tensor, targets: Tensor, groups: Tensor, *, others_ratio: float = 8.0
) -> Tensor:
    """Return the summed cross-entropies of all groups, (N,), so that their mean is the loss.

    On several processes images are counted over the batch of all of them.

    Args:
        logits: (N, C + G), or (N, C) where there is a single group.
        targets: int64 (N,).
        groups: the group of each class, int64 (C,).
        others_ratio: in each group, how many "others" count at most per image inside.
    """
    num_classes = len(groups)
    if logits.shape[1] == num_classes:
        return F.cross_entropy(logits, targets, reduction="none")
    others = logits[:, num_classes:]
    inside = F.one_hot(groups[targets], others.shape[1]).to(logits.dtype)  # (N, G)
    own = logits.gather(1, targets[:, None])  # (N, 1)
    nll = group_log_sums(logits, groups) - torch.where(inside > 0, own, others)
    inner, processes = batch_sum(inside.sum(dim=0))  # (G,)
    total = len(targets) * processes
    outer = total - inner
    ratio = (others_ratio * inner / outer.clamp_min(1.0)).clamp_max(1.0)
    # a group without an image in the batch has the ratio 0, so it is left out
    part = inside + (1.0 - inside) * ratio
    whole, _ = batch_sum(part.sum(dim=0))
    return (nll * part * total / whole.clamp_min(1.0)).sum(dim=1)


class BalancedGroupSoftmax(Loss):
    """One softmax per group of classes of similar size, so that the head cannot suppress the tail.

    The classes are grouped by count. Each group has its own softmax over its classes and one
    "others" output; L = sum_g mean_i CE_g(i), where the label of an image outside the group is
    "others", and these count at most `others_ratio` times the images inside. A group with no
    image in the batch is left out.

    The head needs C + G outputs, see `num_outputs`: the C class logits in class order, then one
    "others" logit per group. `predict_logits` turns them into (N, C): the log-probability of
    each class in its group. With one group this is cross-entropy and C outputs suffice.

    Paper: Li et al., Overcoming Classifier Imbalance for Long-tail Object Detection with Balanced
    Group Softmax, CVPR 2020.

    Differs from the authors' code in that there is no background group (it is a detector's), and
    that all "others" count with a weight below 1 where they drop some at random: the expected
    loss is the same. They train only the classifier of a finished model.

    Args:
        class_counts: training images per class, (C,).
        boundaries: counts at which a new group starts, ascending.
        others_ratio: at least 0.
        weights: class weights, see `Loss`.
        reduction: see `Loss`. Each group is averaged over the batch of all processes.

    Raises:
        UserError: if `boundaries` do not ascend or `others_ratio` is negative.
    """

    groups: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        boundaries: Sequence[int] = (10, 100, 1000),
        others_ratio: float = 8.0,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        if sorted(set(boundaries)) != list(boundaries):
            raise UserError(f"boundaries is {list(boundaries)}: give counts in ascending order.")
        self.others_ratio = check_range("others_ratio", others_ratio)
        self.table("groups", class_groups(self.class_counts, boundaries))
        num_groups = int(self.groups.max()) + 1
        self.num_outputs += num_groups if num_groups > 1 else 0

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the log-probabilities in the groups of images that are distributed as drawn."""
        shares, groups = log_shares.exp(), self.groups.cpu()
        inner = torch.zeros(int(groups.max()) + 1, dtype=shares.dtype)
        inner = inner.index_add(0, groups, shares)
        seen = inner + torch.minimum(1 - inner, self.others_ratio * inner)
        return log_shares - seen.log()[groups]

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the summed group losses of each sample, (N,)."""
        return balanced_group_softmax_loss(
            logits, targets, self.groups, others_ratio=self.others_ratio
        )

    def predict_logits(self, logits: Tensor) -> Tensor:
        """Return log p_g(c), the log-probability of each class in its group, (N, C)."""
        num_classes = len(self.groups)
        if logits.shape[1] == num_classes:
            return logits
        fine = wide(logits)
        return fine[:, :num_classes] - group_log_sums(fine, self.groups)[:, self.groups]
