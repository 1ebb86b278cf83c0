"""Looking into a checkpoint before anything is built from it."""

from typing import Any

from lt_lightning.checkpoint_file import read
from lt_lightning.errors import UserError

__all__ = ["check_fits", "read"]


def check_fits(content: dict[str, Any], path: str, method: str, counts: list[int]) -> None:
    """Refuse a checkpoint of another method or of other classes.

    Args:
        content: what `read` returned.
        path: its path, for the message.
        method: the class path of the method that is asked for.
        counts: images per class that are asked for.

    Raises:
        UserError: if they differ from those of the checkpoint.
    """
    saved = content.get("hyper_parameters", {})
    have = str(saved.get("_class_path", method)).rsplit(".", 1)[-1]
    want = method.rsplit(".", 1)[-1]
    if have != want:
        raise UserError(
            f"The checkpoint {path} holds {have} but the config asks for {want}: use the config of "
            "that run."
        )
    classes = saved.get("class_counts")
    if classes is not None and len(classes) != len(counts):
        raise UserError(
            f"The checkpoint {path} has {len(classes)} classes but the data have {len(counts)}: "
            "use the data of that run."
        )
