"""Semi-supervised training on labels of a teacher."""

from typing import Any

import torch
from torch import Tensor

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.teacher import hard_labels
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import read

_LABELS = "lt_pseudo_labels"  # the key of the labels in a checkpoint


class PseudoLabel(LongTailModule):
    """Pseudo-labels: a finished run labels images once, a new network learns from all of them.

    L = (L_L + omega L_U) / (1 + omega), L_L the mean loss of the labelled images, L_U that of the
    unlabelled ones with y~ = argmax f(x) of the teacher f, hard and without a threshold.
    Both are shuffled into one stream; an image weighs N / ((1 + omega) |D_L|) if it is labelled
    and omega N / ((1 + omega) |D_U|) if not, N = |D_L| + |D_U|, so that the loss of a batch has
    this mean. That holds for the sampler InstanceBalanced; others draw by label and pseudo-label.

    The class counts of the loss include the pseudo-labels; groups are by labelled images alone.

    Paper: Yang and Xu, Rethinking the Value of Labels for Improving Class-Imbalanced Learning,
    NeurIPS 2020, section 3.

    Differs from the authors' code in nothing that is on by default: it shuffles both sets together
    and every image counts the same, which is omega = |D_U| / |D_L|, 5 in its runs. As recalled,
    the paper has omega 1.

    Args:
        teacher: a finished run on the same classes, or a checkpoint in it.
        omega: weight of the unlabelled images, 0 or more; none is |D_U| / |D_L|.
        kwargs: see LongTailModule.

    Raises:
        UserError: if omega is negative; when training starts, without a teacher or unlabelled
            images.
    """

    uses_unlabelled = True

    def __init__(
        self, *, teacher: str | None = None, omega: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if omega is not None and not 0 <= omega < float("inf"):
            raise UserError(f"omega is {omega}: give 0 or more, or null for equal images.")
        self.teacher, self.omega = teacher, omega
        self.image_weights = (1.0, 1.0)  # of a labelled and of an unlabelled image
        self._kept: dict[str, Any] = {}

    def on_fit_start(self) -> None:
        """Label the images, once in the whole of a run."""
        super().on_fit_start()
        data = LongTailDataModule.of(self.trainer)
        if data is None or data.unlabelled is None:
            raise UserError(
                "PseudoLabel needs unlabelled images: give --data.unlabelled LeftOver, or "
                "--data.unlabelled UnlabelledFolder --data.unlabelled.folder DIR."
            )
        found = data.find_unlabelled()
        if not self._kept:
            if self.teacher is None:
                raise UserError(
                    "PseudoLabel needs a teacher: train one, by configs/ce.yaml, say, and give "
                    "--model.teacher RUN."
                )
            content = read(self.teacher)
            self.build_on(content, self.teacher)
            device = self.trainer.strategy.root_device
            labels = hard_labels(content, self.teacher, data, device)
            self._kept = {"fingerprint": found.fingerprint, "labels": labels.cpu().int()}
        elif self._kept["fingerprint"] != found.fingerprint:
            raise UserError(
                f"The checkpoint was trained on the unlabelled images {self._kept['fingerprint']} "
                f"but the data have {found.fingerprint}: use the data.unlabelled of that run."
            )
        self._use(data, self._kept["labels"].long())

    def _use(self, data: LongTailDataModule, labels: Tensor) -> None:
        """Put the images into the stream and their numbers into the loss."""
        data.add_pseudo_labels(labels)
        labelled, unlabelled = int(data.class_counts.sum()), len(labels)
        omega = unlabelled / labelled if self.omega is None else self.omega
        each = (labelled + unlabelled) / (1 + omega)
        self.image_weights = (each / labelled, omega * each / unlabelled)
        counts = data.class_counts + torch.bincount(labels, minlength=self.num_classes)
        loss = self.loss_factory(counts)
        if loss.num_outputs != self.loss.num_outputs:
            raise UserError(
                f"{type(loss).__name__} needs {loss.num_outputs} outputs with the pseudo-labels "
                f"and {self.loss.num_outputs} without: use a loss with one output per class."
            )
        self.loss.load_state_dict(loss.state_dict())

    def drawn_weights(self) -> Tensor | None:
        """Return the mean weight of an image of each class, with a label or a pseudo-label."""
        if not self._kept:
            return None
        labelled = torch.tensor(self.hparams["class_counts"], dtype=torch.float64)
        pseudo = torch.bincount(self._kept["labels"].long(), minlength=self.num_classes)
        of_labelled, of_pseudo = self.image_weights
        return (of_labelled * labelled + of_pseudo * pseudo) / (labelled + pseudo)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Return the weighted loss of one batch; a target from C on is a pseudo-label."""
        images, marked = batch
        pseudo, targets = marked >= self.num_classes, marked % self.num_classes
        of_labelled, of_pseudo = self.image_weights
        weight = torch.where(pseudo, of_pseudo, of_labelled)
        features = self.features(images)
        value = self.loss(self.head(features), targets, weight, features=features)
        return self.log_train(len(targets), loss=value)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the labels, so that a run goes on with the same ones."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[_LABELS] = self._kept

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the labels of the checkpoint."""
        super().on_load_checkpoint(checkpoint)
        self._kept = checkpoint.get(_LABELS, {})
