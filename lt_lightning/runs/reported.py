"""What results.json tells of a method and its data, as those declare it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from lt_lightning.augment import Normalize
from lt_lightning.metrics import ClassStats
from lt_lightning.runs.past import Past


class ReportedData(ABC):
    """A data module that can be reported on; `LongTailDataModule` is one.

    Attributes:
        subset_seed: which images the profile keeps.
        monitor_test: whether test images were evaluated during training.
        fingerprint: what tells the training images from others, after `setup`.
        source: what the images come from.
        profile: what made them long-tailed.
        group_rule: which classes are many, medium and few.
        added_images: the folder of training images that were made.
        unlabelled_facts: what is known of the images without labels.
        tested_root: the folder that is tested in place of the source's test split.
        normalize: what was done to the images, so that they can be shown.
        held_out_tested: whether the held-out images are tested in place of the test split.
    """

    subset_seed: int = 0
    monitor_test: bool = False
    fingerprint: str | None = None
    source: object | None = None
    profile: object | None = None
    group_rule: object | None = None
    added_images: Path | None = None
    unlabelled_facts: dict[str, Any] | None = None
    tested_root: str | None = None
    normalize: Normalize | None = None
    held_out_tested: bool = False

    @property
    @abstractmethod
    def class_counts(self) -> Tensor:
        """Training images per class, int64 (C,)."""

    @property
    @abstractmethod
    def class_names(self) -> list[str]:
        """The names of the classes, in label order."""

    @property
    @abstractmethod
    def groups(self) -> dict[str, list[int]]:
        """The classes of each group."""

    @property
    def test_fingerprint(self) -> str | None:
        """What tells the test images from others, after `setup`; none where it is not known."""
        return None

    @property
    def tested_fingerprint(self) -> str | None:
        """What tells the images that a test looks at from others; mostly the test images."""
        return self.test_fingerprint

    @property
    def imbalance_ratio(self) -> float | None:
        """Head count / tail count that was asked for; none where the data are as they are."""
        return None


class ReportedModule(Protocol):
    """What is read of a method; `LongTailModule` is one."""

    oracle: bool
    self_supervised: bool
    past: Past
    test_stats: ClassStats

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Return the weights."""
