"""Losses and heads that do not go together."""

from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.heads.parts import scale_of
from lt_lightning.losses import ContrastiveLoss, Loss


def check_scale(head: nn.Module, loss: Loss) -> None:
    """Refuse a margin loss without its cosine head, the reverse, and a loss that is no number.

    Raises:
        UserError: with the option to change.
    """
    check_reduction(loss)
    have, want = scale_of(head), loss.scale
    loss_name, head_name = type(loss).__name__, type(head).__name__
    if want is not None and have is None:
        raise UserError(
            f"{loss_name} needs cosine logits but the head is {head_name}: set --model.head "
            f"CosineHead --model.head.scale {want:g}."
        )
    if want is not None and have != want:
        raise UserError(
            f"{loss_name} has scale {want:g} and {head_name} has scale {have:g}: give both the "
            "same."
        )
    if want is None and have is not None and have <= 1:
        raise UserError(
            f"{head_name} with scale {have:g} gives logits in [-{have:g}, {have:g}], with which "
            f"{loss_name} cannot become confident: set --model.head.scale 30."
        )
    loss.trust_scale()


def check_reduction(loss: Loss | ContrastiveLoss) -> None:
    """Refuse a loss that gives one value per image, where a step needs one number.

    Raises:
        UserError: with the loss.
    """
    if loss.reduction == "none":
        raise UserError(
            f"{type(loss).__name__} has the reduction none, which is for a loop of your own: give "
            "another one here, or leave it out."
        )
