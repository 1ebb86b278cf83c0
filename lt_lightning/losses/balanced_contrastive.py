"""Balanced contrastive loss: every class weighs the same in the denominator."""

from typing import Literal

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.contrastive import ContrastiveLoss, contrast


def balanced_contrastive_loss(
    embeddings: Tensor,
    targets: Tensor,
    prototypes: Tensor | None = None,
    *,
    temperature: float = 0.1,
) -> tuple[Tensor, Tensor]:
    """Return the loss of each anchor, (M,), and whether it has a positive, bool (M,).

    L_i = -1 / |P_i| sum_{j in P_i} log(exp(s_ij) / sum_c mean_{k of class c, k != i} exp(s_ik)),
    s_ij = z_i . z_j / tau, over the batch and the prototypes; P_i all others of the class of i.

    Args:
        embeddings: z, (M, d), each of length 1.
        targets: int64 (M,).
        prototypes: (C, d), each of length 1; none leaves class-complement out.
        temperature: tau.
    """
    keys, labels = embeddings, targets
    if prototypes is not None:
        classes = torch.arange(len(prototypes), device=targets.device)
        keys, labels = torch.cat([keys, prototypes]), torch.cat([labels, classes])
    same = targets[:, None] == labels
    others = torch.ones_like(same)
    others[:, : len(targets)].fill_diagonal_(False)
    members = (labels[:, None] == labels).sum(dim=0)
    # the anchor itself is no member of its own class
    size = (members - same.long()).clamp(min=1).to(embeddings.dtype)
    similarities = embeddings @ keys.T / temperature
    return contrast(similarities, same & others, others, -size.log())


class BalancedContrastive(ContrastiveLoss):
    """Balanced contrastive loss (BCL): classes are averaged in the denominator, none is absent.

    L_i = -1 / |P_i| sum_{j in P_i} log(exp(z_i . z_j / tau) / sum_c m_ic),
    m_ic the mean of exp(z_i . z_k / tau) over all k of class c but i itself. Class-averaging is
    the mean m_ic in the place of a sum; class-complement adds one prototype per class to the
    batch, as a positive and in the denominator, so that every class is in every batch.

    Paper: Zhu et al., Balanced Contrastive Learning for Long-Tailed Visual Recognition, CVPR 2022.

    Differs from the authors' code in working with logarithms, and in that prototypes may be left
    out; class-averaging alone then drops anchors without a positive.

    Args:
        class_counts: training images per class, (C,).
        embedding_dim: width d of the embeddings.
        temperature: tau, above 0; 0.1 on CIFAR-LT (recalled), 0.07 in the authors' code for
            ImageNet-LT.
        reduction: see `ContrastiveLoss`.

    Raises:
        UserError: if an argument is out of range.
    """

    takes_prototypes = True

    def __init__(
        self,
        class_counts: ClassCounts,
        embedding_dim: int,
        *,
        temperature: float = 0.1,
        reduction: Literal["mean", "none"] = "mean",
    ) -> None:
        super().__init__(class_counts, embedding_dim, temperature, reduction=reduction)

    def per_anchor(
        self, embeddings: Tensor, targets: Tensor, prototypes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of each anchor, (M,), and whether it has a positive, bool (M,)."""
        return balanced_contrastive_loss(
            embeddings, targets, prototypes, temperature=self.temperature
        )
