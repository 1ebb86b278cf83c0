"""Supervised contrastive loss: images of a class are pulled together, others apart."""

from typing import Literal

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.contrastive import ContrastiveLoss, contrast


def supervised_contrastive_loss(
    embeddings: Tensor, targets: Tensor, *, temperature: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Return the loss of each anchor, (M,), and whether it has a positive, bool (M,).

    L_i = -1 / |P_i| sum_{j in P_i} log(exp(s_ij) / sum_{k != i} exp(s_ik)), s_ij = z_i . z_j / tau,
    P_i all others of the class of i.

    Args:
        embeddings: z, (M, d), each of length 1.
        targets: int64 (M,).
        temperature: tau.
    """
    similarities = embeddings @ embeddings.T / temperature
    others = ~torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    return contrast(similarities, (targets[:, None] == targets) & others, others)


class SupervisedContrastive(ContrastiveLoss):
    """Supervised contrastive loss (SC) of all pairs in the batch.

    L_i = -1 / |P_i| sum_{j in P_i} log(exp(z_i . z_j / tau) / sum_{k != i} exp(z_i . z_k / tau)),
    P_i all others of the class of i; the mean over the anchors with a non-empty P_i.

    With two views of each image every anchor has a positive. It wants large batches, so that the
    rare classes meet their like.

    Paper: Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, L_out; on long-tailed
    data Wang et al., Contrastive Learning based Hybrid Networks, CVPR 2021.

    Differs from the authors' code (SupContrast) in leaving out its factor temperature / 0.07, and
    in dropping anchors without a positive, where theirs divides 0 by 0.

    Args:
        class_counts: training images per class, (C,).
        embedding_dim: width d of the embeddings.
        temperature: tau, above 0; none is 0.1, the published value on CIFAR-10-LT and
            CIFAR-100-LT (from a secondary source).
        reduction: see `ContrastiveLoss`.

    Raises:
        UserError: if an argument is out of range.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        embedding_dim: int,
        *,
        temperature: float | None = None,
        reduction: Literal["mean", "none"] = "mean",
    ) -> None:
        tau = 0.1 if temperature is None else temperature
        super().__init__(class_counts, embedding_dim, tau, reduction=reduction)

    def per_anchor(self, embeddings: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each anchor, (M,), and whether it has a positive, bool (M,)."""
        return supervised_contrastive_loss(embeddings, targets, temperature=self.temperature)
