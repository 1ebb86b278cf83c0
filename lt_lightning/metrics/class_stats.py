"""Accuracy per class and group, and calibration, from integer counts."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from lt_lightning.errors import UserError
from lt_lightning.metrics.confusion import check_batch, check_kind
from lt_lightning.metrics.exact import ExactMetric
from lt_lightning.metrics.groups import check_names
from lt_lightning.metrics.names import (
    ACC,
    ACC_MACRO,
    ACC_TOP5,
    ACC_WORST,
    BRIER,
    ECE,
    F1_MACRO,
    MCE,
    NLL,
    group_acc,
)
from lt_lightning.metrics.prediction import NO_CLASS, among_first, predicted_class

CONFIDENCE_UNIT = 2**40  # exact for float32 confidences down to 2^-17; full after 8 million per bin
NLL_UNIT = 2**24
TOP = 5
BRIER_UNIT = 2**32  # a score is at most 2, so a billion images fit
NLL_LIMIT = 2.0**15  # nats per image, so that 16 million of the worst images still fit


class ClassStats(ExactMetric):
    """Counts per class and per confidence bin, and every metric that follows from them.

    The state holds integers only: images and hits per class and per bin, and the sums of
    confidence, NLL and Brier score in fixed point. Integer sums do not depend on their order, so
    the values are the same bits for any order of the batches and any number of processes, if each
    image gets the same logits.

    - acc: hits / images. acc_macro: mean over the classes that have images here.
    - acc_<group>: mean over the classes of the group that have images here; absent where no class
      has. acc_worst: the lowest class.
    - acc_top5: share of the images whose class is among the five most probable ones, of equals the
      first; where there are more than five classes.
    - f1_macro: mean over the classes that have images here of 2 hits / (images + predictions).
    - nll: mean of -log p(target), in nats, at most 32768 per image.
    - ece = sum_b |S_b| / N * |acc(S_b) - conf(S_b)| over bins of equal width in (0, 1], right
      edges belong to the bin, a confidence of 1 to the last one. mce: the largest such gap.
    - brier: mean of sum_c (p_c - [c = target])^2, from 0 to 2.

    An image without a prediction (see `predicted_class`) is a miss with confidence 0 and Brier
    score 2.

    Paper: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, Eqs. 3 and 5 (equation
    numbers recalled, unchecked).

    Differs from the authors' code in that a confidence above 1 by rounding is not dropped.

    Args:
        num_classes: the number of classes C.
        groups: classes of each group.
        bins: confidence bins.
        probabilities: whether `update` is given probabilities in the place of logits.

    Raises:
        UserError: if a group names a class that does not exist or has the name of another metric,
            or a number is below 1.

    >>> stats = ClassStats(2, groups={"many": [0], "few": [1]})
    >>> stats.update(torch.tensor([[9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1]))
    >>> stats.compute()["acc_many"], stats.compute()["acc_few"]
    (1.0, 0.0)
    """

    total: Tensor
    correct: Tensor
    in_top: Tensor
    predicted: Tensor
    nll_sum: Tensor
    brier_sum: Tensor
    bin_total: Tensor
    bin_correct: Tensor
    bin_confidence: Tensor

    def __init__(
        self,
        num_classes: int,
        *,
        groups: Mapping[str, Sequence[int]] = MappingProxyType({}),
        bins: int = 15,
        probabilities: bool = False,
    ) -> None:
        super().__init__()
        self.probabilities, self._looked = probabilities, False
        for name, value in (("num_classes", num_classes), ("bins", bins)):
            if value < 1:
                raise UserError(f"{name} is {value}: give 1 or more.")
        check_names(groups)
        for group, members in groups.items():
            bad = [index for index in members if not 0 <= index < num_classes]
            if bad:
                raise UserError(
                    f"The group {group} holds the classes {bad[:5]} but there are {num_classes} "
                    f"classes: give indices from 0 to {num_classes - 1}."
                )
        self.num_classes, self.bins = num_classes, bins
        self.groups = {group: list(members) for group, members in groups.items()}
        per_class = ("total", "correct", "in_top", "predicted", "nll_sum", "brier_sum")
        per_bin = ("total", "correct", "confidence")
        sizes = dict.fromkeys(per_class, num_classes)
        sizes.update({f"bin_{name}": bins for name in per_bin})
        for name, size in sizes.items():
            zeros = torch.zeros(size, dtype=torch.int64)
            self.add_state(name, default=zeros, dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Count one batch, without waiting for the device but in the first one.

        Args:
            logits: (N, C), before softmax; probabilities where the metric was told so.
            targets: whole numbers, (N,), from 0 to C - 1.

        Raises:
            UserError: if one is no tensor, shapes do not fit, a target is no class (on a GPU it is
                looked for in the first batch alone), or the first batch is of probabilities and
                should be of logits, or the reverse.
        """
        targets = check_batch(logits, targets, self.num_classes, look=not self._looked)
        if not self._looked and len(logits) > 0:
            check_kind(logits, self.probabilities)
            self._looked = True
        if self.probabilities:
            logits = logits.double().log()
        wide = logits if logits.dtype == torch.float64 else logits.float()
        with torch.autocast(logits.device.type, enabled=False):
            chances = wide.softmax(dim=1)
            confidence = chances.amax(dim=1)
            # (1 - p_y)^2 + sum over the others, without a table of one-hot targets
            own = chances.gather(1, targets[:, None]).squeeze(1)
            brier = chances.square().sum(dim=1) - 2 * own + 1
            nll = F.cross_entropy(wide, targets, reduction="none")
        predicted = predicted_class(wide)
        finite = predicted != NO_CLASS
        confidence = torch.where(finite, confidence, 0).clamp(max=1)
        nll = torch.where(finite, nll, NLL_LIMIT).clamp(max=NLL_LIMIT)
        brier = torch.where(finite, brier, 2).clamp(0, 2)
        one = torch.ones_like(targets)
        hit = (predicted == targets).to(torch.int64)
        bin_index = bin_of(confidence, self.bins)
        # Never in place: states made in inference mode could not be changed outside of it.
        self.total = self.total.index_add(0, targets, one)
        self.correct = self.correct.index_add(0, targets, hit)
        self.predicted = self.predicted.index_add(0, predicted.clamp_min(0), finite.to(hit.dtype))
        in_top = finite & among_first(wide, targets, TOP)
        self.in_top = self.in_top.index_add(0, targets, in_top.to(hit.dtype))
        self.nll_sum = self.nll_sum.index_add(0, targets, _fixed(nll, NLL_UNIT))
        self.brier_sum = self.brier_sum.index_add(0, targets, _fixed(brier, BRIER_UNIT))
        self.bin_total = self.bin_total.index_add(0, bin_index, one)
        self.bin_correct = self.bin_correct.index_add(0, bin_index, hit)
        self.bin_confidence = self.bin_confidence.index_add(
            0, bin_index, _fixed(confidence, CONFIDENCE_UNIT)
        )

    def compute(self) -> dict[str, float]:
        """Return the metrics by name; nothing where no image was counted."""
        total, correct = self.total.cpu(), self.correct.cpu()
        images = int(total.sum())
        if images == 0:
            return {}
        seen = total > 0
        accuracy = correct.double() / total.double()
        values = {
            ACC: int(correct.sum()) / images,
            ACC_MACRO: float(accuracy[seen].mean()),
        }
        for group, members in self.groups.items():
            index = torch.tensor(members, dtype=torch.int64)
            index = index[seen[index]]
            if len(index):
                values[group_acc(group)] = float(accuracy[index].mean())
        values[ACC_WORST] = float(accuracy[seen].min())
        if self.num_classes > TOP:
            values[ACC_TOP5] = int(self.in_top.sum()) / images
        values[F1_MACRO] = float(self._f1()[seen].mean())
        values[NLL] = int(self.nll_sum.sum()) / NLL_UNIT / images
        gap_sum = (self.bin_correct.cpu().double() - self._confidence_sum()).abs()
        filled = self.bin_total.cpu() > 0
        values[ECE] = float(gap_sum.sum()) / images
        values[MCE] = float((gap_sum[filled] / self.bin_total.cpu()[filled]).max())
        values[BRIER] = int(self.brier_sum.sum()) / BRIER_UNIT / images
        return values

    def per_class(self) -> dict[str, Tensor]:
        """Return images, hits, accuracy and so on of each class, over all processes.

        Call it on every process; it waits for the others.

        Returns:
            `total`, `correct` and `predicted` (images that were taken for the class) int64 (C,);
            `accuracy`, which is the recall, `f1` and `nll` float64 (C,), NaN for a class without
            images; `precision` float64 (C,), NaN for a class that was never predicted; all on the
            CPU.
        """
        with self._summed():
            total, correct = self.total.cpu(), self.correct.cpu()
            nll = self.nll_sum.cpu().double() / NLL_UNIT / total
            predicted, f1 = self.predicted.cpu(), self._f1()
        counts = {"total": total, "correct": correct, "predicted": predicted}
        hits = correct.double()
        return {**counts, "accuracy": hits / total, "precision": hits / predicted, "f1": f1,
                "nll": nll}  # fmt: skip

    def reliability(self) -> dict[str, Tensor]:
        """Return images, accuracy and mean confidence of each bin, over all processes.

        Call it on every process; it waits for the others.

        Returns:
            `edges` float64 (bins + 1,), `total` and `correct` int64 (bins,), `accuracy` and
            `confidence` float64 (bins,), NaN for an empty bin; all on the CPU.
        """
        with self._summed():
            total, correct = self.bin_total.cpu(), self.bin_correct.cpu()
            confidence = self._confidence_sum() / total
        edges = torch.arange(self.bins + 1, dtype=torch.float64) / self.bins
        accuracy = correct.double() / total
        return {
            "edges": edges,
            "total": total,
            "correct": correct,
            "accuracy": accuracy,
            "confidence": confidence,
        }

    def _f1(self) -> Tensor:
        """Return 2 hits / (images + predictions), float64 (C,), NaN for a class without images."""
        total, predicted = self.total.cpu(), self.predicted.cpu()
        found = 2 * self.correct.cpu().double() / (total + predicted)
        return torch.where(total > 0, found, torch.nan)

    def _confidence_sum(self) -> Tensor:
        return self.bin_confidence.cpu().double() / CONFIDENCE_UNIT

    def _summed(self) -> AbstractContextManager[None]:
        """Return the context in which the states are sums over all processes."""
        wanted = self._to_sync and not self._is_synced
        return cast(
            AbstractContextManager[None],
            self.sync_context(dist_sync_fn=self.dist_sync_fn, should_sync=wanted),
        )


def bin_of(confidence: Tensor, bins: int) -> Tensor:
    """Return the bin of each confidence, int64; bin b is (b / bins, (b + 1) / bins]."""
    return ((confidence * bins).ceil().to(torch.int64) - 1).clamp(0, bins - 1)


def _fixed(values: Tensor, unit: int) -> Tensor:
    """Return `values` as whole multiples of 1 / unit, int64."""
    return (values * unit).round().to(torch.int64)
