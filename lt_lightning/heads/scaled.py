"""A classifier with one learned factor per class."""

import torch
from torch import Tensor, nn

from lt_lightning.heads.parts import scale_of


def scaled_logits(logits: Tensor, scales: Tensor) -> Tensor:
    """Return s_c z_c, (N, C): learnable weight scaling, the bias scaled too.

    Paper: Kang et al., Decoupling, ICLR 2020, section 4.1 (LWS); Zhong et al., MiSLAS, CVPR 2021,
    section 4.2.

    Args:
        logits: z, (N, C).
        scales: s, (C,), learned, 1 at first.
    """
    return scales * logits


class ScaledHead(nn.Module):
    """Class-wise scaled classifier z = s * inner(x), s (C,) learned and 1 at first.

    Paper: Kang et al., Decoupling, ICLR 2020, section 4.1 (LWS); Zhong et al., MiSLAS, CVPR 2021.

    Differs from the paper of LWS in nothing, from its text in the form: the code multiplies the
    whole logit, bias included, by s; division is another parametrisation.

    Args:
        inner: the classifier of stage 1.
        num_classes: C.
        frozen: whether the inner classifier stays as it is.
    """

    def __init__(self, inner: nn.Module, num_classes: int, *, frozen: bool) -> None:
        super().__init__()
        self.inner = inner.requires_grad_(not frozen)
        self.scales = nn.Parameter(torch.ones(num_classes))
        self.scale: float | None = scale_of(inner)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, (N, C)."""
        logits: Tensor = self.inner(features)
        return scaled_logits(logits, self.scales)
