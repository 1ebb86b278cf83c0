"""Bilateral-branch network with cumulative learning."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lt_lightning.augment.mixing import draw_beta
from lt_lightning.backbones import BilateralBackbone, BilateralResNetCIFAR
from lt_lightning.engine.base import LongTailModule
from lt_lightning.errors import UserError
from lt_lightning.losses import bilateral_logits, bilateral_loss
from lt_lightning.schedule import ParabolicDecay, Schedule

Stream = tuple[Tensor, Tensor]


class BBN(LongTailModule):
    """Bilateral-branch network: uniform and reversed sampling mixed by a cumulative alpha.

    z = 2 [alpha f_c ; (1 - alpha) f_r] W^T + b,
    L = alpha loss(z, y_c) + (1 - alpha) loss(z, y_r),
    where f_c is the feature of an image of the stream `uniform` in the conventional branch, f_r
    that of an image of the stream `reversed` in the re-balancing branch. At test both features
    are of the same image and z = [f_c ; f_r] W^T + b, the same as alpha = 0.5 in training.

    Paper: Zhou et al., BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed
    Visual Recognition, CVPR 2020, Eq. 1, 2 and 5.

    Differs from the authors' code in nothing that is on by default; the paper's equation lacks
    the factor 2 that the code has, and that makes training and test agree.

    Args:
        backbone: makes the bilateral network; both features side by side go into the head.
        alpha: alpha as a function of the epoch; the same for all batches of it.
        alpha_beta: draw alpha for every batch from Beta(alpha_beta, alpha_beta) instead; 0.2 is
            an ablation of the paper.
        joint_pass: pass both images through the shared trunk in one batch. The default, two
            passes, is the authors': batch norm then normalises each stream with its own
            statistics and updates the running ones twice, first uniform, then reversed.
        kwargs: see LongTailModule.

    Raises:
        UserError: if `alpha_beta` is not above 0.
    """

    streams = ("reversed", "uniform")

    def __init__(
        self,
        *,
        backbone: Callable[[], BilateralBackbone] = BilateralResNetCIFAR,
        alpha: Schedule = ParabolicDecay(),
        alpha_beta: float | None = None,
        joint_pass: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone=backbone, **kwargs)
        if alpha_beta is not None and not 0 < alpha_beta < float("inf"):
            raise UserError(f"alpha_beta is {alpha_beta}: give a number above 0, such as 0.2.")
        self.alpha, self.alpha_beta, self.joint_pass = alpha, alpha_beta, joint_pass
        self.backbone: BilateralBackbone

    def pairs_up(self, sizes: Mapping[str, int]) -> bool:
        """Return whether each image has one of the other stream."""
        return len(set(sizes.values())) == 1

    def _branch_features(self, uniform: Tensor, reversed_: Tensor) -> tuple[Tensor, Tensor]:
        """Return f_c and f_r, each (N, D)."""
        uniform, reversed_ = self.arrange(uniform), self.arrange(reversed_)
        if self.joint_pass:
            maps = self.backbone.shared(torch.cat([uniform, reversed_]))
            of_uniform, of_reversed = maps[: len(uniform)], maps[len(uniform) :]
        else:
            of_uniform = self.backbone.shared(uniform)
            f_c = self.backbone.conventional(of_uniform)
            return f_c, self.backbone.rebalancing(self.backbone.shared(reversed_))
        return self.backbone.conventional(of_uniform), self.backbone.rebalancing(of_reversed)

    def _alpha_of(self, batch_idx: int) -> float | Tensor:
        """Return alpha of one batch, a number or (1,)."""
        if self.alpha_beta is None:
            return self.alpha(self.current_epoch, self.max_epochs)
        return draw_beta(self.alpha_beta, 1, self.step_generator(batch_idx))

    def training_step(self, batch: dict[str, Stream], batch_idx: int) -> dict[str, Tensor]:
        """Return the mixed loss of one pair of batches."""
        (images_c, targets_c), (images_r, targets_r) = batch["uniform"], batch["reversed"]
        alpha = self._alpha_of(batch_idx)
        f_c, f_r = self._branch_features(images_c, images_r)
        # Both branches are computed at alpha 0 and 1 too: zero gradients, not missing ones.
        logits = bilateral_logits(self.head, f_c, f_r, alpha)
        uniform, reversed_ = self.loss(logits, targets_c), self.loss(logits, targets_r)
        total = bilateral_loss(uniform, reversed_, alpha).squeeze()
        drawn = {"alpha": alpha.squeeze()} if isinstance(alpha, Tensor) else {}
        if not drawn:  # the largest of equal values has no rounding, also in a resumed epoch
            self.log("alpha", alpha, on_step=False, on_epoch=True, sync_dist=True, reduce_fx="max")
        return self.log_train(
            len(targets_c), drawn, loss=total, loss_uniform=uniform, loss_reversed=reversed_
        )
