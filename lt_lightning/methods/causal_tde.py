"""De-confounded training and the total direct effect."""

from typing import Any

import torch
from torch import Tensor

from lt_lightning.backbones import BilateralResNetCIFAR
from lt_lightning.engine.base import BackboneFactory, HeadFactory, LongTailModule
from lt_lightning.engine.moving_feature import MovingFeature
from lt_lightning.errors import UserError
from lt_lightning.heads import CausalNormHead
from lt_lightning.metrics import ClassStats
from lt_lightning.metrics.names import ACC, ACC_MACRO, group_acc

WITHOUT = "without_tde"  # the name of what is tested beside
Stream = tuple[Tensor, Tensor]


class CausalTDE(LongTailModule):
    """De-confound-TDE: train a normalised classifier, then take out what all features share.

    Training: L = loss((s / K) sum_k x^_k w^_k^T, y), and c <- mu c + mean of the batch's features.
    Evaluation: z = (s / K) sum_k (x^_k - alpha cos_k c^_k) w^_k^T, cos_k = x^_k . c^_k.
    The same model without the second term is much weaker, so both are always reported: accuracies
    as `..._without_tde`, and the whole test as the evaluation `last+without_tde`.

    Paper: Tang et al., Long-Tailed Classification by Keeping the Good and Removing the Bad
    Momentum Causal Effect, NeurIPS 2020 (its code).

    Differs from the authors' code in that c is saved with the weights of the same step; theirs
    puts the last c beside the best weights. The validation loss is of other logits than the
    training loss, as in theirs.

    Args:
        backbone: makes the network; the published CIFAR rows have the 128 features of BBN's, both
            last blocks on the same image.
        head: makes the classifier, a CausalNormHead.
        alpha: how much is taken out, 0 or more; it changes the test alone, so a finished run can
            be tested with another one (`lt test RUN --post_hoc TotalDirectEffect`). The published
            values are 1 for CIFAR-10, 1.5 for CIFAR-100, 3 for ImageNet-LT. None is the authors'
            rule where there is no validation set: alpha times the mean cosine is 1; the mean is
            over the training images of the last steps, as they were augmented.
        momentum: mu in [0, 1); 0.9 on CIFAR. None is the rule of the authors' other data sets,
            mu = 1 - 0.1 min(50 lr, 1), by which c moves slower when the learning rate is small.
        kwargs: see LongTailModule.

    Raises:
        UserError: if the head is another, or a number is out of range.
    """

    def __init__(
        self,
        *,
        backbone: BackboneFactory = BilateralResNetCIFAR,
        head: HeadFactory = CausalNormHead,
        alpha: float | None = None,
        momentum: float | None = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone=backbone, head=head, **kwargs)
        if not isinstance(self.head, CausalNormHead):
            raise UserError(
                f"CausalTDE needs the head CausalNormHead but has {type(self.head).__name__}: set "
                "--model.head CausalNormHead --model.head.scale 16, lest another stay."
            )
        if alpha is not None and not 0 <= alpha < float("inf"):
            raise UserError(f"alpha is {alpha}: give 0 or more, or null for the authors' rule.")
        if momentum is not None and not 0 <= momentum < 1:
            raise UserError(f"momentum is {momentum}: give 0 or more, below 1; 0.9 is published.")
        self.alpha, self.momentum = alpha, momentum
        self._other_alpha = False
        self.moving = MovingFeature(self.backbone.out_features)
        groups = self.test_stats.groups
        self.val_without = ClassStats(self.num_classes, groups=groups)
        self.test_without = ClassStats(self.num_classes, groups=groups)

    @property
    def variants(self) -> dict[str, ClassStats]:
        """Return what is counted of the same weights without the direct effect."""
        return {WITHOUT: self.test_without}

    def training_step(self, batch: Stream, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch, and count its features."""
        images, targets = batch
        features = self.features(images)
        assert isinstance(self.head, CausalNormHead)
        cosines = self.head.cosines(features.detach(), self.moving.value)
        self.moving.add(features, cosines)
        alpha = self.current_alpha()
        value = self.loss(self.head(features), targets, features=features)
        return self.log_train(len(targets), {"tde_alpha": alpha}, loss=value)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Move c once per step, also where gradients of several batches are summed."""
        rate = float(optimizer.param_groups[0]["lr"])
        given = self.momentum
        self.moving.step(1 - 0.1 * min(50 * rate, 1) if given is None else given)

    def current_alpha(self) -> Tensor:
        """Return alpha, given or by the rule, a scalar."""
        return (
            self.moving.alpha() if self.alpha is None else self.moving.value.new_tensor(self.alpha)
        )

    def change_alpha(self, alpha: float) -> None:
        """Predict by another alpha after training; nothing is tested beside it then."""
        self.alpha, self._other_alpha = alpha, True

    def forward(self, images: Tensor) -> Tensor:
        """Return the total direct effect, (N, loss.num_outputs)."""
        return self._with_tde(self.features(images))

    def direct_effect(self, features: Tensor, alpha: Tensor | float) -> Tensor:
        """Return the logits of features (N, D) with this alpha, (N, C)."""
        assert isinstance(self.head, CausalNormHead)
        found = self.head.direct_effect(features, self.moving.value, alpha)
        return self.loss.predict_logits(found)

    def _with_tde(self, features: Tensor) -> Tensor:
        if not isinstance(self.head, CausalNormHead):  # changed after training
            outputs: Tensor = self.head(features)
            return outputs
        return self.head.direct_effect(features, self.moving.value, self.current_alpha())

    def _both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits with and without the direct effect, each (N, C)."""
        features = self.features(images)
        found, plain = self._with_tde(features), self.head(features)
        return self.loss.predict_logits(found), self.loss.predict_logits(plain)

    @property
    def _is_changed(self) -> bool:
        """Whether a change after training decides, so that there is nothing to set beside."""
        return self._other_alpha or not self._takes_out

    @property
    def _takes_out(self) -> bool:
        return self.post_hoc is None and isinstance(self.head, CausalNormHead)

    def validation_step(self, batch: Stream, batch_idx: int) -> None:
        """Count one batch, with and without the direct effect."""
        images, targets = batch
        found, plain = self._both(images)
        self.val_stats.update(found, targets)
        self.val_without.update(plain, targets)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the held-out images, and the accuracies without it."""
        super().on_validation_epoch_end()
        self._log_without("val", self.val_without)
        self.val_without.reset()

    def test_step(self, batch: Stream, batch_idx: int) -> Tensor | None:
        """Count one batch, with and without the direct effect."""
        if self._is_changed:
            return super().test_step(batch, batch_idx)
        images, targets = batch
        found, plain = self._both(images)
        self.test_without.update(plain, targets)
        return self.count_test(found, targets)

    def on_test_epoch_start(self) -> None:
        """Forget the counts of an earlier test."""
        super().on_test_epoch_start()
        self.test_without.reset()

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test images, and the accuracies without it."""
        super().on_test_epoch_end()
        self._log_without("test", self.test_without)

    def _log_without(self, split: str, stats: ClassStats) -> None:
        names = (ACC, ACC_MACRO, *(group_acc(group) for group in stats.groups))
        values = {name: value for name, value in stats.compute().items() if name in names}
        self.log_dict({f"{split}/{k}_{WITHOUT}": v for k, v in values.items()}, sync_dist=True)

    def evaluation_facts(self) -> dict[str, float]:
        """Return alpha, for the record of the results."""
        return {"tde_alpha": float(self.current_alpha())} if self._takes_out else {}
