"""Distribution alignment."""

from typing import Any

from torch import nn

from lt_lightning.engine.freezing import BNMode
from lt_lightning.engine.two_stage import TwoStage
from lt_lightning.heads import CalibratedHead
from lt_lightning.heads.calibrated import Form, GateInit


class DisAlign(TwoStage):
    """Distribution alignment: frozen logits are calibrated per class, gated by confidence.

    z' = (1 + g a) z + g b, g = sigmoid(x u + v); the loss of stage 2 is cross-entropy with the
    weights w_c ~ (1 / r_c)^rho, r_c = n_c / N (GeneralizedReweight), on draws as they are.

    Paper: Zhang et al., Distribution Alignment: A Unified Framework for Long-tail Visual
    Recognition, CVPR 2021, Eq. 4 to 9.

    Differs from the authors' code in the start, see CalibratedHead. The authors ran nothing on
    CIFAR, so rho has no published value there.

    Args:
        form: of the calibration, see CalibratedHead.
        init_scale: of the calibration, see CalibratedHead.
        gate_init: of the gate, see CalibratedHead.
        bn_mode: batch norm of the frozen backbone; draws do not change, so "eval" is exact.
        stage2_epochs: length of stage 2.
        kwargs: see TwoStage.
    """

    def __init__(
        self,
        *,
        form: Form = "residual",
        init_scale: float | None = None,
        gate_init: GateInit = "small",
        bn_mode: BNMode = "eval",
        stage2_epochs: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(bn_mode=bn_mode, stage2_epochs=stage2_epochs, **kwargs)
        self.form, self.init_scale, self.gate_init = form, init_scale, gate_init

    def second_head(self, first: nn.Module) -> nn.Module:
        """Return the calibrated classifier."""
        return CalibratedHead(
            first,
            self.backbone.out_features,
            self.num_classes,
            form=self.form,
            init_scale=self.init_scale,
            gate_init=self.gate_init,
        )

    def second_groups(self) -> list[dict[str, Any]]:
        """Return scale, bias and gate; in the convex form decay would pull the scale off 1."""
        head = self.head
        assert isinstance(head, CalibratedHead)
        scale: dict[str, Any] = {"params": [head.logit_scale]}
        if head.form == "convex":
            scale["weight_decay"] = 0.0
        return [scale, {"params": [head.logit_bias, *head.gate.parameters()]}]
