"""Which class shares the outputs of a model assume, from how it was trained."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.heads import NearestMeanHead, TauNormHead
from lt_lightning.losses import Loss
from lt_lightning.stages import Stage

_EVEN = (NearestMeanHead, TauNormHead)  # heads that know no class sizes, or take them out
_ALIKE = 0.01  # of all images
_CLASSIFIER = "classifier"  # the stream that trains it, beside one that trains the features


def drawn_shares(
    data: LongTailDataModule, streams: Sequence[str], stage: Stage, epoch: int
) -> list[float] | None:
    """Return the expected share of each class among the images of an epoch, C numbers.

    Args:
        data: with the samplers.
        streams: those of the method.
        stage: of the epoch.
        epoch: 0-based, of the run.

    Returns:
        None where images of several streams are mixed, which have no share of their own.
    """
    samplers = data.samplers or {}
    if not samplers:
        rule = data.sampler
    elif stage.name:
        rule = samplers[stage.name]
    elif len(streams) == 1:
        rule = samplers[streams[0]]
    elif _CLASSIFIER in streams:
        rule = samplers[_CLASSIFIER]
    else:
        return None
    found = rule.shares(data.class_counts, epoch - stage.first_epoch, stage.epochs)
    # a sum of 1 within rounding leaves room for a share a little above it
    shares: list[float] = found.clamp(0, 1).tolist()
    return shares


def check_draws(data: LongTailDataModule, epochs: int) -> None:
    """Refuse a rule whose class shares are none, before anything is trained with it.

    Args:
        data: with the samplers.
        epochs: of the run.

    Raises:
        UserError: with what the rule gave and what it owes.
    """
    for rule in (data.samplers or {"": data.sampler}).values():
        for epoch in range(epochs if rule.changes_over_run else 1):
            rule.shares(data.class_counts, epoch, epochs)


def trained_log_shares(
    counts: Sequence[int], loss: nn.Module, drawn: Sequence[float] | None, head: nn.Module
) -> Tensor:
    """Return the log class shares that a trained model assumes, float64 (C,), up to a constant.

    The optimum of a weighted cross-entropy on drawn images has the logits
    log p(x | y) + log(share drawn) + log(weight); what another loss makes of them it says itself.

    Args:
        counts: training images of each class.
        loss: of the last epoch; of one that is no `Loss` nothing is known.
        drawn: the share of each class in that epoch; none is that of the training images.
        head: the classifier.
    """
    base = torch.tensor(counts if drawn is None else drawn, dtype=torch.float64)
    if isinstance(head, _EVEN):
        return torch.zeros_like(base)
    if not isinstance(loss, Loss):
        return (base / base.sum()).log()
    return loss.assumed((base.log() + loss.weight.double().cpu().log()).log_softmax(0))


def differ(one: Tensor, other: Tensor) -> bool:
    """Return whether class shares, (C,) each of the sum 1, are others by more than a hundredth.

    The sum over the classes counts: of thousands of them none has a share that differs by much.
    """
    return float((one - other).abs().sum()) / 2 > _ALIKE
