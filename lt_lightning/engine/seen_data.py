"""What a checkpoint keeps of the data that it was trained on, and whether these are they."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.reading import Reading
from lt_lightning.engine.class_shares import Drawn
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import DATA_STATE

log = logging.getLogger(__name__)


def keep_facts(checkpoint: dict[str, Any], data: LongTailDataModule, drawn: Drawn) -> None:
    """Keep what `lt predict` and a resumed run must know of the data.

    Args:
        checkpoint: to be written.
        data: that it was trained on.
        drawn: in the epoch.
    """
    known = {"test_fingerprint": data.test_fingerprint, "content": data.content, **drawn.facts()}
    checkpoint[DATA_STATE] = {**data.facts(), **known}


def check_same(
    checkpoint: Mapping[str, Any], data: LongTailDataModule, trained_on: bool = True
) -> None:
    """Refuse to go on with images that look otherwise, or are others.

    Args:
        checkpoint: what was read of it.
        data: those at work, set up.
        trained_on: whether anything is learned from the training or held-out images again, so that
            their pictures must be the same under the same names.

    Raises:
        UserError: with both fingerprints, or what differs in how the images are seen.
    """
    saved = checkpoint.get(DATA_STATE, {})
    check_view(saved, data)
    if saved.get("fingerprint") not in (None, data.fingerprint):
        raise UserError(
            f"The checkpoint was trained on the images {saved['fingerprint']} but the data are "
            f"{data.fingerprint}: use the data, profile and seeds of that run."
        )
    other = other_images(saved, data) if trained_on else None
    if other is not None:
        raise UserError(
            "The checkpoint was trained on other pictures under the same names "
            f"({other[0]}, and these are {other[1]}): put back those of that run."
        )


def other_images(saved: Mapping[str, Any], data: LongTailDataModule) -> tuple[str, str] | None:
    """Return what tells the images of a checkpoint, and those at work, where they are others.

    Args:
        saved: the facts of the data in the checkpoint.
        data: those at work, set up.
    """
    if saved.get("fingerprint") not in (None, data.fingerprint):
        return str(saved["fingerprint"]), str(data.fingerprint)
    if saved.get("content") not in (None, data.content):
        return str(saved["content"]), data.content
    return None


def check_view(saved: Mapping[str, Any], data: LongTailDataModule) -> None:
    """Refuse images that the network would see otherwise than those it was trained on.

    Args:
        saved: the facts of the data in the checkpoint.
        data: those at work.

    Raises:
        UserError: if their size, their normalisation or the reading of their files differ.
    """
    found = other_view(saved, data)
    if found:
        raise UserError(
            f"The checkpoint was trained on images of {found}: use --data.source and "
            "--data.normalize of that run."
        )


def warn_of_other_view(
    content: Mapping[str, Any], path: str, data: LongTailDataModule, free: Sequence[str] = ()
) -> None:
    """Say so where the weights of another run have seen images otherwise than these are seen.

    Args:
        content: the checkpoint that they are taken from.
        path: its path, for the message.
        data: those at work, set up.
        free: facts that may differ.
    """
    found = other_view(content.get(DATA_STATE, {}), data, free)
    if found:
        log.warning(
            "%s was trained on images of %s: its weights know other pixels than they get now.",
            path,
            found,
        )


def other_view(
    saved: Mapping[str, Any], data: LongTailDataModule, free: Sequence[str] = ()
) -> str | None:
    """Return what differs in how images are seen, with both values; none where nothing does."""
    now = data.facts()
    if "upright" in saved or isinstance(data.source, PictureSource):
        # An old checkpoint does not say how it read files; other sources have none to read.
        saved = {**saved, **Reading.of(saved).facts()}
    for name in ("image_size", "mean", "std", *Reading().facts()):
        if name in saved and saved[name] != now[name] and name not in free:
            return f"{name} {_told(saved[name])} but the data have {_told(now[name])}"
    return None


def _told(value: Any) -> str:
    return "null" if value is None else str(value)
