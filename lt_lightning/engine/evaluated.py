"""A module whose predictions are counted per class: what tests, results and reports read of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from lightning.pytorch import Callback
from torch import Tensor

from lt_lightning.engine.float32 import Float32Evaluation
from lt_lightning.engine.logged import LoggedModule
from lt_lightning.metrics import ClassStats, ConfusionCounts, OneVsRestAUC
from lt_lightning.runs.past import Past

_MAX_CONFUSION = 1000  # a C x C table of counts stays below 8 MB


class EvaluatedModule(LoggedModule, ABC):
    """Validates and tests by `predict_logits`, which a subclass writes.

    Attributes:
        oracle: whether it sees training images that other methods do not.
        self_supervised: whether it trains without labels.
        past: what the weights that it was built on have behind them.
        tests_in_float32: whatever the precision of the trainer, as validation does.
        post_hoc: a change of the logits after training.
        val_stats: counts of the held-out images.
        test_stats: counts of the last test.
        test_confusion: the same as a table, where the classes are not too many.
        test_auc: the areas under the ROC curves, where the classes are few.
    """

    oracle: bool = False
    self_supervised: bool = False
    past: Past = Past()
    tests_in_float32: bool = True
    num_classes: int
    test_confusion: ConfusionCounts | None
    test_auc: OneVsRestAUC | None

    def __init__(self) -> None:
        super().__init__()
        self.post_hoc: Callable[[Tensor], Tensor] | None = None

    def count_by(self, num_classes: int, groups: Mapping[str, list[int]]) -> None:
        """Make the counts, of C classes and of each group; after the network, in the constructor.

        Args:
            num_classes: C.
            groups: classes of each group.
        """
        self.num_classes = num_classes
        self.val_stats = ClassStats(num_classes, groups=groups)
        self.test_stats = ClassStats(num_classes, groups=groups)
        few = num_classes <= _MAX_CONFUSION
        self.test_confusion = ConfusionCounts(num_classes) if few else None
        fewer = num_classes <= OneVsRestAUC.LIMIT
        self.test_auc = OneVsRestAUC(num_classes) if fewer else None

    @abstractmethod
    def predict_logits(self, images: Tensor) -> Tensor:
        """Return the logits that predictions are made from, (N, C)."""

    @property
    def variants(self) -> Mapping[str, ClassStats]:
        """What a test counts of other ways to predict from the same weights, by name."""
        return {}

    def pretext_values(self) -> dict[str, float]:
        """Return metrics of a task of the method's own on the test images, after a test."""
        return {}

    def evaluation_facts(self) -> dict[str, float]:
        """Return numbers that belong into the record of a test beside its metrics."""
        return {}

    def class_weights(self) -> Tensor | None:
        """Return the class weights of the loss, (C,) on the CPU; none where they are always 1."""
        return None

    def weight_norms(self) -> Tensor | None:
        """Return the L2 norm of each class's weights, (C,), or none where that means nothing."""
        return None

    def configure_callbacks(self) -> list[Callback]:
        """Return what keeps evaluation in float32."""
        return [Float32Evaluation(self.tests_in_float32)]

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Count one batch."""
        images, targets = batch
        self.val_stats.update(self.predict_logits(images), targets)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the held-out images."""
        self._log_stats("val", self.val_stats)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor | None:
        """Count one batch; logits (N, C) that are returned are shown beside the images."""
        images, targets = batch
        return self.count_test(self.predict_logits(images), targets)

    def count_test(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Count one batch of test images, and return its logits."""
        self.test_stats.update(logits, targets)
        if self.test_confusion is not None:
            self.test_confusion.update(logits, targets)
        if self.test_auc is not None:
            self.test_auc.update(logits, targets)
        return logits

    def on_test_epoch_start(self) -> None:
        """Forget the counts of an earlier test; they are kept after one, for the reports."""
        self.test_stats.reset()
        if self.test_confusion is not None:
            self.test_confusion.reset()
        if self.test_auc is not None:
            self.test_auc.reset()

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test images."""
        self._log_stats("test", self.test_stats, reset=False)

    def _log_stats(self, split: str, stats: ClassStats, reset: bool = True) -> None:
        values = {f"{split}/{name}": value for name, value in stats.compute().items()}
        # The counts are summed over the processes already; every process logs the same values.
        self.log_dict(values, sync_dist=True)
        if reset:
            stats.reset()

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the class probabilities, (N, C)."""
        return self.predict_logits(batch[0]).float().softmax(dim=1)
