"""What an adjustment by the class sizes asks of the training: that it left them in."""

from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule


def check_uncompensated(model: LongTailModule, change: str) -> None:
    """Refuse a model that was trained to compensate the class sizes.

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
