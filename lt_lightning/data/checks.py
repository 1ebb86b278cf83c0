"""What the data module refuses before it looks at any image."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.samplers import SamplingRule

log = logging.getLogger(__name__)


def check_least(least: int, **values: int | None) -> None:
    """Refuse an option of the data that is below `least`; none is not given.

    Raises:
        UserError: with its name and value.
    """
    for name, value in values.items():
        if value is not None and value < least:
            raise UserError(f"data.{name} is {value}: give {least} or more.")


def check_one(holdout: bool, monitor_test: bool) -> None:
    """Refuse two validation splits.

    Raises:
        UserError: if both are wanted.
    """
    if holdout and monitor_test:
        raise UserError(
            "data.monitor_test is true and data.holdout is set: both fill `val`, give one."
        )


def check_one_joined(added_images: str | None, unlabelled: object | None) -> None:
    """Refuse two kinds of images beside the training images, of which one would not be drawn.

    Raises:
        UserError: if both are given.
    """
    if added_images is not None and unlabelled is not None:
        raise UserError(
            f"data.added_images is {added_images} and data.unlabelled is "
            f"{type(unlabelled).__name__}: both go beside the training images, give one."
        )


def check_streams_of(
    samplers: Mapping[str, SamplingRule] | None, **options: Mapping[str, object] | None
) -> None:
    """Refuse an option of a named sampler that is not there.

    Raises:
        UserError: with the option, the name and the names there are.
    """
    for option, values in options.items():
        for name in values or {}:
            if name not in (samplers or {}):
                there = f"has {', '.join(sorted(samplers))}" if samplers else "is not given"
                raise UserError(
                    f"data.{option} has {name!r} but data.samplers {there}: give one of its names."
                )


def check_sampling(folder: Path | None, rules: Sequence[SamplingRule]) -> None:
    """Refuse added images that no rule draws, and a rule without its added images.

    Raises:
        UserError: if one is there without the other.
    """
    wanted = any(rule.draws_added for rule in rules)
    if wanted and folder is None:
        raise UserError(
            "The sampler WithAdded needs data.added_images: make them by `lt cam RUN` from a "
            "finished run on these images, and give the folder that it names."
        )
    if folder is not None and not wanted:
        raise UserError(
            f"data.added_images is {folder} but no sampler draws from it: use "
            "configs/cam_drs.yaml, or the sampler WithAdded."
        )


def warn_of_ratio(asked: float | None, counts: Tensor, short: Sequence[str]) -> None:
    """Say that a profile does not get what it asks for, and what it got.

    Args:
        asked: head count / tail count.
        counts: images per class as trained on, int64 (C,).
        short: the names of the classes that lack images.
    """
    if short and asked is not None:
        log.warning(
            "%d of %d classes have fewer images than an imbalance_ratio of %g needs (%s%s): the "
            "largest class has %.4g times the images of the smallest.",
            len(short),
            len(counts),
            asked,
            ", ".join(short[:5]),
            ", ..." if len(short) > 5 else "",
            float(counts.max() / counts.min()),
        )


def batch_share(batch_size: int, processes: int) -> int:
    """Return the images of a batch that each process has.

    Raises:
        UserError: if they cannot be dealt out evenly.
    """
    if batch_size % processes:
        raise UserError(
            f"data.batch_size {batch_size} cannot be divided by {processes} processes: give a "
            "multiple."
        )
    return batch_size // processes


def check_batches(batches: int, batch_size: int, images: int) -> None:
    """Refuse an epoch without a batch.

    Raises:
        UserError: if drop_last leaves none.
    """
    if batches == 0:
        raise UserError(
            f"data.batch_size {batch_size} with drop_last leaves no batch of {images} images: give "
            "a smaller batch_size."
        )
