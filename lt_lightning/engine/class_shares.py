"""Which class shares the outputs of a model assume, from how it was trained."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.heads import NearestMeanHead, TauNormHead
from lt_lightning.losses import Loss
from lt_lightning.stages import Stage

_EVEN = (NearestMeanHead, TauNormHead)  # heads that know no class sizes, or take them out
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
    place = epoch - stage.first_epoch
    shares: list[float] = rule.class_probabilities(data.class_counts, place, stage.epochs).tolist()
    return shares


def trained_log_shares(
    counts: Sequence[int], loss: nn.Module, drawn: Sequence[float] | None, head: nn.Module
) -> Tensor:
    """Return the log class shares that a trained model assumes, float64 (C,), up to a constant.

    The optimum of a weighted cross-entropy on drawn images has the logits
    log p(x | y) + log(share drawn) + log(weight) - (what the loss adds in training).

    Args:
        counts: training images of each class.
        loss: of the last epoch; of one that is no `Loss` nothing is known.
        drawn: the share of each class in that epoch; none is that of the training images.
        head: the classifier.
    """
    base = torch.tensor(counts if drawn is None else drawn, dtype=torch.float64)
    if isinstance(head, _EVEN):
        return torch.zeros_like(base)
    found = (base / base.sum()).log()
    if isinstance(loss, Loss):
        found = found + loss.weight.double().cpu().log() - loss.compensated().cpu()
    return found
