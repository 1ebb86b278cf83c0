"""Cross-entropy, the baseline of every table."""

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.losses.base import Loss


class CrossEntropy(Loss):
    """Softmax cross-entropy; with a weight rule it is cost-sensitive cross-entropy.

    l_i = -log softmax(z_i)[y_i], weighted by w[y_i] where a rule is given.

    Paper: the baseline; cost-sensitive form: Zhang et al., Bag of Tricks for Long-Tailed Visual
    Recognition, AAAI 2021.
    """

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log softmax(z_i)[y_i], (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")
