"""Parametric contrastive loss: classes stand beside images in the denominator."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def parametric_contrastive_loss(
    logits: Tensor,
    queries: Tensor,
    targets: Tensor,
    keys: Tensor,
    key_labels: Tensor,
    *,
    center_weight: float = 1.0,
    sample_weight: float = 0.02,
    temperature: float = 0.05,
) -> Tensor:
    """Return the loss of each query, (M,).

    L_i = -(beta log p_i(y_i) + alpha sum_{j in P_i} log p_i(j)) / (beta + alpha |P_i|),
    p_i(.) the softmax over C + A columns: the logits z_ic, and q_i . s_j / T for all samples
    s_j, which are the other queries and the keys; P_i those of them with the label y_i.

    Paper: Cui et al., Parametric Contrastive Learning, ICCV 2021 (its code, with gamma = 1).

    Differs from the authors' code in leaving keys without a label out of the denominator; theirs
    begins with random directions under random labels. Computed with logsumexp, without 1e-12.

    Args:
        logits: z, (M, C), with the log-prior where the class sizes are to be compensated.
        queries: q, (M, d), each of length 1.
        targets: y, int64 (M,).
        keys: (K, d), each of length 1.
        key_labels: int64 (K,); below 0 for a key that is not there.
        center_weight: beta, above 0, of the own class.
        sample_weight: alpha, at least 0, of each sample of the own class.
        temperature: T, above 0.
    """
    samples, labels = torch.cat([queries, keys]), torch.cat([targets, key_labels])
    there = (labels >= 0).expand(len(queries), -1).clone()
    there[:, : len(queries)].fill_diagonal_(False)
    positive = there & (targets[:, None] == labels)
    classes = F.one_hot(targets, logits.shape[1]).to(logits.dtype)
    weight = torch.cat([center_weight * classes, sample_weight * positive.to(classes.dtype)], dim=1)
    columns = torch.cat([logits, queries @ samples.T / temperature], dim=1)
    absent = torch.cat([torch.zeros_like(classes, dtype=torch.bool), ~there], dim=1)
    total = columns.masked_fill(absent, -math.inf).logsumexp(dim=1, keepdim=True)
    return (weight * (total - columns)).sum(dim=1) / weight.sum(dim=1)
