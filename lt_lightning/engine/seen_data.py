"""What a checkpoint keeps of the data that it was trained on, and whether these are they."""

from typing import Any

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.runs import fits
from lt_lightning.runs.checkpoint import DATA_STATE


def keep_facts(
    checkpoint: dict[str, Any], data: LongTailDataModule, drawn: list[float] | None
) -> None:
    """Keep what `lt predict` and a resumed run must know of the data.

    Args:
        checkpoint: to be written.
        data: that it was trained on.
        drawn: the share of each class in the epoch, C numbers; none where streams are mixed.
    """
    known = {"test_fingerprint": data.test_fingerprint, "drawn_shares": drawn}
    checkpoint[DATA_STATE] = {**data.facts(), **known}


def check_same(checkpoint: dict[str, Any], data: LongTailDataModule) -> None:
    """Refuse to go on with images that look otherwise, or are others.

    Raises:
        UserError: with both fingerprints.
    """
    saved = checkpoint.get(DATA_STATE, {})
    fits.check_view(saved, data.facts())
    if saved.get("fingerprint") not in (None, data.fingerprint):
        raise UserError(
            f"The checkpoint was trained on the images {saved['fingerprint']} but the data are "
            f"{data.fingerprint}: use the data, profile and seeds of that run."
        )
