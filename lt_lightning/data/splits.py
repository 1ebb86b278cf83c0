"""From a source to its splits: what is trained on, held out, tested on and left over."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.data.groups import of_images, tell_groups
from lt_lightning.data.reading import Reading
from lt_lightning.data.source import ImageSet, Source
from lt_lightning.data.source_checks import check_grouped, check_splits
from lt_lightning.data.subset import Subset, fingerprint
from lt_lightning.errors import UserError


@dataclass(frozen=True)
class Splits:
    """The splits of a source, and what the profile took them from.

    Attributes:
        splits: "train", "test" and, where there is one, "val".
        fingerprint: of the choice.
        everything: all training images of the source.
        before_profile: indices of those that are not held out.
        left_over: indices of those that are neither held out nor trained on.
        reading: how the source reads image files.
        given: the splits as the source gave them.
    """

    splits: dict[str, ImageSet]
    fingerprint: str
    everything: ImageSet
    before_profile: Tensor
    left_over: Tensor
    reading: Reading
    given: dict[str, ImageSet]


def choose_splits(source: Source, root: Path, subset: Subset, monitor_test: bool) -> Splits:
    """Read the images of `source` and choose; the same on every process.

    Raises:
        UserError: if the source has a validation split and another one is asked for, or no image
            can be held out.
    """
    found = check_splits(source.load(root), source, root)
    if "val" in found and (subset.holdout is not None or monitor_test):
        raise UserError(
            f"{root} has a validation split of its own, and data.holdout or "
            "data.monitor_test is set: both fill `val`, give one."
        )
    everything = found["train"]
    counts = source.train_counts(root)
    grouped = check_grouped(source.grouped(root), counts, source, everything.labels)
    groups = None if grouped is None else grouped.groups
    train, held = subset.choose(everything.labels, counts, groups, source.class_names(root))
    if subset.holdout is not None and not len(held):
        raise UserError(
            f"{subset.holdout.told} holds out no image of {of_images(everything.labels, groups)}: "
            "every class must keep one for training; add images, or set data.holdout null."
        )
    if grouped is not None and len(held):
        told = everything.labels[train], everything.labels[held]
        tell_groups(*told, source.class_names(root), "The held-out split")
    splits = {"train": everything.select(train), "test": found["test"]}
    if monitor_test:
        splits["val"] = found["test"]
    elif len(held):
        splits["val"] = everything.select(held)
    elif "val" in found:
        splits["val"] = found["val"]
    indices = torch.arange(len(everything))
    before = indices[~torch.isin(indices, held)]
    if groups is not None:  # a profile can leave some of a group over, of which some is held out
        before = before[~torch.isin(groups[before], groups[held])]
    return Splits(
        splits,
        fingerprint(train, held, source.identity(root)),
        everything,
        before,
        before[~torch.isin(before, train)],
        source.reading,
        found,
    )
