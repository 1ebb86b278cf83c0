"""What all losses share: class counts, class weights and the reduction."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_class_counts, told_value, wide
from lt_lightning.losses.checks import (
    check_batch,
    check_choice,
    check_each,
    check_reach,
    check_share,
    check_values,
    check_weights,
)
from lt_lightning.losses.reduction import reduce
from lt_lightning.losses.weights import WeightRule

Reduction = Literal["weighted_mean", "mean", "none"]


class Loss(nn.Module, ABC):
    """Per-sample value, class weight, then an explicit reduction.

    A subclass writes `per_sample`; what depends on the counts alone it stores once with `table`.
    All tables are buffers: they move with the module and are in its `state_dict`, so a checkpoint
    holds all that evaluation needs.

    Args:
        class_counts: training images per class, (C,), each at least 1.
        weights: the rule that turns counts into class weights; none means 1 for every class. Any
            rule goes with any loss.
        reduction: "weighted_mean" divides by the sum of the weights in the batch (PyTorch's and
            the field's PyTorch codes' way: the scale of the weights has no effect); "mean" divides
            by N (TensorFlow's way: the scale acts as a learning-rate factor); "none" returns
            the weighted value of each image, (N,), for a loop of your own.

    Attributes:
        scale: the scale s of the cosine head this loss expects; none means any linear logits.
        num_outputs: how many logits the head must give, C unless the loss needs more.
        needs_features: whether `forward` must be given the features that enter the classifier.
        corrects_prior: whether training compensates the class sizes in the logits, so that the
            bare logits at test are balanced, as with `LogitAdjustment`. Every loss that does so
            sets it, an outside one too: the warning of double compensation (with a class-balanced
            sampler) and the refusal of post-hoc logit adjustment read nothing else. Weights and
            margins do not count; of weights post-hoc logit adjustment warns.
        stops_gradient: whether a part of the formula is a constant for the gradient, on purpose.
        bounded: whether the value has an upper bound, on purpose, as that of losses for noisy
            labels: an image whose logits are all against its target then has no gradient.
    """

    scale: float | None = None
    needs_features: bool = False
    corrects_prior: bool = False
    stops_gradient: bool = False
    bounded: bool = False
    num_outputs: int
    class_counts: Tensor
    weight: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__()
        check_choice("reduction", reduction, ("weighted_mean", "mean", "none"))
        self.register_buffer("class_counts", check_class_counts(class_counts))
        self.num_outputs = len(self.class_counts)
        self.table("weight", self._weights_of(weights))
        self.reduction: Reduction = reduction
        self._seen_values = False
        self._trusts_scale, self._calls = False, 0

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the log class shares that the logits assume after training, up to a constant.

        An image without information gets these. They are the drawn ones, less the training prior
        where `corrects_prior` is set; a loss that leaves others says which.

        Args:
            log_shares: of the images as they were drawn and weighted, float64 (C,), on the CPU.
        """
        counts = self.class_counts.double().cpu()
        return log_shares - (counts / counts.sum()).log() if self.corrects_prior else log_shares

    @abstractmethod
    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the unweighted loss of each sample, (N,), from logits and targets (N,).

        A subclass that sets `needs_features` takes `features` (N, D) as a third argument.
        """

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        share: Tensor | float | None = None,
        *,
        features: Tensor | None = None,
    ) -> Tensor:
        """Return the reduced loss, a scalar, 0 for a batch without images; (N,) unreduced.

        The values of the first batch are checked once; later calls read only shapes, but that a
        loss for cosines looks at the size of the logits in the calls 1, 2, 4, 8 and so on, unless
        `trust_scale` was called.

        Args:
            logits: (N, num_outputs), before softmax.
            targets: int64 (N,).
            share: what this label counts in a two-label mix, (N,) or one number in [0, 1]. The
                mix is the sum of two calls, each with its own label and its own sum of weights.
            features: (N, D), what enters the classifier, not detached; read only by a loss that
                sets `needs_features`, so it may always be given.

        Raises:
            UserError: if shapes, types or (first batch) values cannot be right, or `per_sample`
                gives something else than a value for each image.
        """
        num_classes = len(self.class_counts)
        check_batch(logits, targets, self.num_outputs, num_classes)
        check_share(share, len(logits))
        if not self._seen_values and len(logits) > 0:
            check_values(logits, targets, num_classes)
            self._seen_values = True
        self._look_at_scale(logits)
        extra = (
            {"features": wide(self._checked(features, len(logits)))} if self.needs_features else {}
        )
        # half precision is too coarse for log-softmax, and autocast would go back to it
        with torch.autocast(logits.device.type, enabled=False):
            values = self.per_sample(wide(logits), targets, **extra)
        check_each(values, logits, f"{type(self).__name__}.per_sample")
        return reduce(values, self.weight[targets], self.reduction, share)

    def predict_logits(self, logits: Tensor) -> Tensor:
        """Return logits over the C classes, (N, C), for evaluation.

        The identity, unless the loss has more outputs than classes. Margins, adjustments and
        temperatures belong to training alone.
        """
        return logits

    def trust_scale(self) -> None:
        """Look at the size of the logits no more: the head in front is known to have the scale."""
        self._trusts_scale = True

    def _look_at_scale(self, logits: Tensor) -> None:
        if self.scale is None or self._trusts_scale or len(logits) == 0:
            return
        self._calls += 1
        if self._calls & (self._calls - 1) == 0:  # each look waits for the device
            check_reach(logits, self.scale, type(self).__name__, first=self._calls == 1)

    def set_weights(self, weights: WeightRule | None) -> None:
        """Change the class weights in place, for example when deferred re-weighting starts.

        Args:
            weights: the new rule; none means 1 for every class.
        """
        with torch.no_grad():
            self.weight.copy_(self._weights_of(weights))

    def table(self, name: str, values: Tensor) -> None:
        """Store per-class values as a buffer, float64 as float32 and other types as they are."""
        self.register_buffer(name, values.float() if values.is_floating_point() else values)

    def _weights_of(self, rule: WeightRule | None) -> Tensor:
        counts = self.class_counts.cpu()
        if rule is None:
            return torch.ones(len(counts), dtype=torch.float64)
        return check_weights(rule(counts), len(counts), type(rule).__name__)

    def _checked(self, features: Tensor | None, length: int) -> Tensor:
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != length:
            got = "none" if features is None else told_value(features)
            raise UserError(
                f"{type(self).__name__} needs the features that enter the classifier but got "
                f"{got}: give features= of the shape ({length}, D)."
            )
        return features

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Loss":
        # `.half()` and `.bfloat16()` on a whole model would round log-priors to two digits
        def keep_wide(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            narrow = moved.is_floating_point() and moved.dtype.itemsize < 4
            return tensor.to(moved.device) if narrow else moved

        super()._apply(keep_wide, recurse)  # type: ignore[no-untyped-call]  # torch's own
        return self
