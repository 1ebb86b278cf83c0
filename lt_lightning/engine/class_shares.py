"""Which class shares the outputs of a model assume, from how it was trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead, TauNormHead
from lt_lightning.inputs import told_value
from lt_lightning.losses import Loss
from lt_lightning.losses.checks import check_weights
from lt_lightning.stages import Stage

if TYPE_CHECKING:
    from lt_lightning.engine.base import LongTailModule

_EVEN = (NearestMeanHead, TauNormHead)  # heads that know no class sizes, or take them out
_ALIKE = 0.01  # of all images
_CLASSIFIER = "classifier"  # the stream that trains it, beside one that trains the features


@dataclass(frozen=True)
class Drawn:
    """What the classifier of a run has learned from in its last epoch.

    Attributes:
        shares: the expected share of each class among the images drawn, C numbers with the sum 1;
            none where none can be told.
        weights: what the method itself weighs the images of each class by, C numbers; none is 1.
    """

    shares: list[float] | None
    weights: list[float] | None = None

    def facts(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it."""
        return {"drawn_shares": self.shares, "drawn_weights": self.weights}

    def weighted(self) -> Tensor | None:
        """Return the shares times the weights, float64 (C,); none where they cannot be told."""
        if self.shares is None:
            return None
        shares = torch.tensor(self.shares, dtype=torch.float64)
        return shares if self.weights is None else shares * shares.new_tensor(self.weights)


def kept(facts: Mapping[str, Any], uses_unlabelled: bool) -> Drawn | None:
    """Return what a checkpoint says was drawn; none where it says nothing.

    Args:
        facts: of its data.
        uses_unlabelled: whether its method trains on unlabelled images too. An earlier version
            told those of its labelled images.
    """
    if "drawn_shares" not in facts:
        return None
    earlier = uses_unlabelled and "drawn_weights" not in facts
    return Drawn(None if earlier else facts["drawn_shares"], facts.get("drawn_weights"))


def own_stream(streams: Sequence[str], stage: Stage) -> str | None:
    """Return the stream that the classifier learns from; none where it is not one alone.

    Args:
        streams: those of the method.
        stage: of the epoch.
    """
    if stage.name or not streams:
        return stage.name
    if len(streams) == 1:
        return streams[0]
    return _CLASSIFIER if _CLASSIFIER in streams else None


def drawn_of(model: "LongTailModule", data: LongTailDataModule) -> Drawn:
    """Return what the classifier learns from in the epoch at work, or in the last one.

    Args:
        model: with its Trainer.
        data: after its setup.
    """
    trains = model.trainer.state.fn == "fit"
    if not trains and model.drawn is not None:  # a test knows nothing of added images
        return model.drawn
    epoch = min(model.current_epoch, model.max_epochs - 1)  # which is over after the last one
    stream, weights = _stream_of(model, data, epoch), _weights_of(model)
    shares = None if stream is None else data.drawn_shares(stream, model.stage_at(epoch), epoch)
    return Drawn(
        # a sum of 1 within rounding leaves room for a share a little above it
        None if shares is None else shares.clamp(0, 1).tolist(),
        None if weights is None else weights.tolist(),
    )


def check_draws(model: "LongTailModule", data: LongTailDataModule) -> None:
    """Refuse what is said of the draws and is none, before anything is trained with it.

    Args:
        model: with its Trainer.
        data: with the samplers.

    Raises:
        UserError: with what the rule or the method gave and what it owes.
    """
    for rule in (data.samplers or {"": data.sampler}).values():
        for epoch in range(model.max_epochs if rule.changes_over_run else 1):
            rule.shares(data.class_counts, epoch, model.max_epochs)
    for epoch in range(model.max_epochs):
        _stream_of(model, data, epoch)
    _weights_of(model)


def _stream_of(model: "LongTailModule", data: LongTailDataModule, epoch: int) -> str | None:
    """Return the stream that a method names, of those that there are."""
    stream, known = model.learned_stream(epoch), tuple(data.samplers or ("",))
    if stream is None or stream in known:
        return stream
    raise UserError(
        f"{type(model).__name__}.learned_stream gave {told_value(stream)} for epoch {epoch}: "
        f"return one of {', '.join(map(repr, known))}, or None where it cannot be told."
    )


def _weights_of(model: "LongTailModule") -> Tensor | None:
    """Return what a method weighs the classes by, as it should be."""
    weights = model.drawn_weights()
    if weights is None:
        return None
    return check_weights(weights, model.num_classes, f"{type(model).__name__}.drawn_weights")


def trained_log_shares(model: "LongTailModule") -> Tensor:
    """Return the log class shares that a model assumes as trained, float64 (C,), up to a constant.

    All are NaN where they cannot be told. The optimum of a weighted cross-entropy on drawn images
    has the logits log p(x | y) + log(share drawn) + log(weight); what another loss makes of them
    it says itself, and of one that is no `Loss` nothing is known.
    """
    if isinstance(model.head, _EVEN):
        return torch.zeros(model.num_classes, dtype=torch.float64)
    drawn, loss = _drawn_by(model), model.last_loss
    if drawn is None:
        return torch.full((model.num_classes,), math.nan, dtype=torch.float64)
    if not isinstance(loss, Loss):
        return (drawn / drawn.sum()).log()
    return loss.assumed((drawn.log() + loss.weight.double().cpu().log()).log_softmax(0))


def _drawn_by(model: "LongTailModule") -> Tensor | None:
    """Return how often each class was drawn, as the method weighs it, (C,), up to a factor.

    Where nothing says it, one stream of labelled images is taken for these as they are.
    """
    if model.drawn is not None:
        return model.drawn.weighted()
    if model.uses_unlabelled or own_stream(model.streams, model.stage_at(0)) is None:
        return None
    return torch.tensor(model.hparams["class_counts"], dtype=torch.float64)


def differ(one: Tensor, other: Tensor) -> bool:
    """Return whether class shares, (C,) each of the sum 1, are others by more than a hundredth.

    The sum over the classes counts: of thousands of them none has a share that differs by much.
    Shares that cannot be told, NaN, differ from none.
    """
    return float((one - other).abs().sum()) / 2 > _ALIKE
