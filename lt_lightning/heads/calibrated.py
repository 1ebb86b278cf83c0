"""DisAlign's adaptive calibration of frozen logits."""

from typing import Literal

import torch
from torch import Tensor, nn

from lt_lightning.heads.parts import scale_of

Form = Literal["residual", "convex"]
GateInit = Literal["small", "official"]


class CalibratedHead(nn.Module):
    """Frozen logits z, moved per class as far as a confidence gate allows.

    residual: z' = (1 + g a) z + g b;  convex: z' = g (a z + b) + (1 - g) z;
    g = sigmoid(x u + v) is one number per image, a and b are learned per class.

    Paper: Zhang et al., Distribution Alignment, CVPR 2021, Eq. 4 to 6.

    Differs from the authors' code in the defaults, which are the identity at the start: a = 0 in
    the residual form (their classification code has 1, which doubles confident logits), and small
    weights of the gate (theirs are 0.1 each, with which features after ReLU drive the sigmoid to
    1 and its gradient to 0). The paper's second line expands to the residual form only if alpha
    is read as alpha - 1.

    Args:
        inner: the classifier of stage 1; it is frozen.
        in_features: feature width D.
        num_classes: C.
        form: which of the two forms.
        init_scale: a at the start; none is the identity, 0 in the residual form and 1 in the
            convex one.
        gate_init: "small" draws u from N(0, 0.01^2) with v = 0; "official" is 0.1 everywhere with
            PyTorch's v.
    """

    def __init__(
        self,
        inner: nn.Module,
        in_features: int,
        num_classes: int,
        *,
        form: Form = "residual",
        init_scale: float | None = None,
        gate_init: GateInit = "small",
    ) -> None:
        super().__init__()
        self.inner, self.form = inner.requires_grad_(False), form
        self.scale: float | None = scale_of(inner)
        neutral = 0.0 if form == "residual" else 1.0
        start = neutral if init_scale is None else init_scale
        self.logit_scale = nn.Parameter(torch.full((num_classes,), start))
        self.logit_bias = nn.Parameter(torch.zeros(num_classes))
        self.gate = nn.Linear(in_features, 1)
        if gate_init == "small":
            nn.init.normal_(self.gate.weight, std=0.01)
            nn.init.zeros_(self.gate.bias)
        else:
            nn.init.constant_(self.gate.weight, 0.1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the calibrated logits, (N, C)."""
        logits: Tensor = self.inner(features)
        gate: Tensor = self.gate(features).sigmoid()
        if self.form == "residual":
            return (1 + gate * self.logit_scale) * logits + gate * self.logit_bias
        moved = self.logit_scale * logits + self.logit_bias
        return gate * moved + (1 - gate) * logits
