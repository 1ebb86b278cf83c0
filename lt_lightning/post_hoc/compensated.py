"""What an adjustment by the class sizes asks of the training: that it left them in."""

import logging

import torch

from lt_lightning.engine.class_shares import differ
from lt_lightning.errors import UserError, printable
from lt_lightning.methods import LongTailModule

log = logging.getLogger(__name__)


def check_uncompensated(model: LongTailModule, change: str) -> None:
    """Refuse a model whose loss was made to compensate the class sizes.

    Args:
        model: the model.
        change: the name of the adjustment.

    Raises:
        UserError: if it was.
    """
    last = model.last_loss
    if last.corrects_prior:
        raise UserError(
            f"The run was trained with {type(last).__name__}, which compensates the "
            f"class sizes already: {change} is for runs of CrossEntropy."
        )


def warn_of_other_shares(model: LongTailModule, change: str) -> None:
    """Say so where the outputs do not, or may not, assume the shares that are taken out of them.

    A sampler, class weights, the classifier or a change before this one may have altered them.

    Args:
        model: the model, before the adjustment.
        change: its name.
    """
    counts = torch.tensor(model.hparams["class_counts"], dtype=torch.float64)
    prior, assumed = counts / counts.sum(), model.log_shares().softmax(dim=0)
    if bool(assumed.isnan().any()):
        log.warning(
            "%s takes out the class shares of the training images, but which shares the outputs "
            "of this %s assume cannot be told, for it was trained on mixed streams or labels: "
            "compare it with the run as it is.",
            change,
            type(model).__name__,
        )
    if differ(prior, assumed):
        most = int((prior - assumed).abs().argmax())
        log.warning(
            "%s takes out the class shares of the training images, %.3g %% for %s, but the outputs "
            "of the run assume %.3g %%, by its sampler, class weights, classifier or an earlier "
            "change: what was compensated is compensated twice.",
            change,
            100 * float(prior[most]),
            printable(model.class_names[most]),
            100 * float(assumed[most]),
        )
