"""The one data module that all methods share."""

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.combined_loader import CombinedLoader
from torch import Tensor

from lt_lightning.augment import BatchTransform, Normalize, RandomCropFlip
from lt_lightning.data import checks
from lt_lightning.data.added_images import AddedImages
from lt_lightning.data.digits import Digits
from lt_lightning.data.groups import Grouped
from lt_lightning.data.holdout import Holdout
from lt_lightning.data.loader import EvalLoader, TrainLoader
from lt_lightning.data.profiles import Exponential, Profile
from lt_lightning.data.source import ImageSet, MemoryImages, Source
from lt_lightning.data.source_checks import check_counts, check_grouped, check_names
from lt_lightning.data.splits import choose_splits
from lt_lightning.data.streams import ALL, BOTH, Streams
from lt_lightning.data.subset import Subset
from lt_lightning.data.tested import content_of, fingerprint_of, labelled_folder
from lt_lightning.data.unlabelled import Found, Unlabelled, facts_of, joined
from lt_lightning.errors import UserError
from lt_lightning.home import home
from lt_lightning.inputs import check_seed
from lt_lightning.metrics import GroupRule, ShotGroups
from lt_lightning.runs.reported import ReportedData
from lt_lightning.samplers import InstanceBalanced, SamplingRule
from lt_lightning.stages import Stage
from lt_lightning.trainer_parts import data_of

log = logging.getLogger(__name__)


class LongTailDataModule(L.LightningDataModule, ReportedData):
    """A source made long-tailed, and loaders that re-sample it.

    `class_counts`, `num_classes`, `class_names` and `groups` can be read right after
    construction; `fingerprint` after `setup`.

    Args:
        source: where the images come from: CIFAR10, CIFAR100, Digits, ImageFolder,
            ImageList, ImageTable.
        root: the folder of the source's files.
        profile: which part of each class is kept: Exponential, Step, AsIs.
        subset_seed: which images the profile keeps; 0 is the subset of the LDAM-DRW code.
        holdout: training images set aside for validation; none means no validation split.
        monitor_test: evaluate the TEST split after every epoch under the name `val`, as the
            field's codes do. Results are stamped with it.
        group_rule: which classes are many, medium and few, or groups of other names.
        batch_size: images per optimizer step and stream, over all processes together. It is
            divided by their number, so that a run on 8 GPUs sees the same batches as on one.
        eval_batch_size: images per evaluation batch of one process.
        sampler: how an epoch is drawn, for methods with one stream.
        samplers: named samplers, for methods with several streams (BBN: uniform and reversed) or
            stages (stage1 and stage2).
        views: how often each image is in a batch of a named sampler, each time augmented anew;
            1 for a name that is not there. Contrastive methods compare two views of an image.
        augments: what is done to the batches of a named sampler instead of `augment`.
        added_images: a folder of training images that `lt cam` made, for samplers that draw from
            them too (WithAdded). Counts, groups and fingerprint stay those of the source's images.
        unlabelled: images without labels, for methods that train on them too (PseudoLabel).
            Counts, groups and fingerprint stay those of the labelled images.
        test_root: a folder with <class>/* or test/<class>/*, whose images are tested in place of
            the source's test split; the classes are those of the training images.
        epoch_length: images per epoch and stream; none is the sampler's own, mostly N.
        drop_last: leave out a last training batch that is not full.
        augment: what is done to training batches of uint8 images on their device.
        normalize: from uint8 to float; none is what the command fills in from the backbone: that
            of its weights, that of ImageNet for a network of torchvision or timm that has none of
            its own; and else that of CIFAR. config.yaml has what it became.
        workers: DataLoader workers per process, at most one per core; only for images in files.
        seed: of sampling and augmentation; none is the run's own seed.
    """

    source: Source
    profile: Profile
    group_rule: GroupRule
    normalize: Normalize

    def __init__(
        self,
        source: Source = Digits(),
        root: str = "data",
        profile: Profile = Exponential(),
        subset_seed: int = 0,
        holdout: Holdout | None = None,
        monitor_test: bool = False,
        group_rule: GroupRule = ShotGroups(),
        batch_size: int = 128,
        eval_batch_size: int = 500,
        sampler: SamplingRule = InstanceBalanced(),
        samplers: dict[str, SamplingRule] | None = None,
        views: dict[str, int] | None = None,
        augments: dict[str, BatchTransform | None] | None = None,
        added_images: str | None = None,
        unlabelled: Unlabelled | None = None,
        test_root: str | None = None,
        epoch_length: int | None = None,
        drop_last: bool = False,
        augment: BatchTransform | None = RandomCropFlip(),
        normalize: Normalize | None = None,
        workers: int = 4,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        checks.check_least(1, batch_size=batch_size, eval_batch_size=eval_batch_size)
        checks.check_least(0, workers=workers)
        checks.check_least(1, epoch_length=epoch_length)
        checks.check_one(holdout is not None, monitor_test)
        checks.check_one_joined(added_images, unlabelled)
        checks.check_streams_of(samplers, views=views, augments=augments)
        checks.check_least(1, **{f"views.{name}": count for name, count in (views or {}).items()})
        self.source, self.root, self.profile = source, home(root), profile
        self.subset_seed = check_seed("data.subset_seed", subset_seed)
        self.holdout, self.monitor_test = holdout, monitor_test
        self.group_rule, self.normalize = group_rule, normalize or Normalize()
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.sampler, self.samplers, self.epoch_length = sampler, samplers, epoch_length
        self.drop_last, self.augment = drop_last, augment
        self.views, self.augments = views or {}, augments or {}
        self.workers, self.seed = workers, None if seed is None else check_seed("data.seed", seed)
        self.added_images = None if added_images is None else home(added_images)
        self.unlabelled, self.test_root = unlabelled, test_root
        self.unlabelled_facts: dict[str, Any] | None = None
        self._found: Found | None = None
        self.held_out_tested = False
        self._subset = Subset(profile, holdout, subset_seed)
        self._splits: dict[str, ImageSet] = {}
        self.fingerprint: str | None = None

    @staticmethod
    def of(trainer: L.Trainer) -> "LongTailDataModule | None":
        """Return the data module that the trainer works on, where it is one of this kind."""
        found = data_of(trainer)
        return found if isinstance(found, LongTailDataModule) else None

    @cached_property
    def class_names(self) -> list[str]:
        """The names of the classes, in label order."""
        return check_names(self.source.class_names(self.root), self.source)

    @property
    def num_classes(self) -> int:
        """The number of classes C."""
        return len(self.class_names)

    @cached_property
    def class_counts(self) -> Tensor:
        """Training images per class as trained on, int64 (C,)."""
        return self._subset.plan(*self._available(), self.class_names)[0]

    def _available(self) -> tuple[Tensor, Grouped | None]:
        found, classes = self.source.train_counts(self.root), self.num_classes
        counts = check_counts(found, classes, self.source)
        return counts, check_grouped(self.source.grouped(self.root), counts, self.source)

    @property
    def groups(self) -> dict[str, list[int]]:
        """The classes of each group; a group without classes is absent."""
        return self.group_rule(self.class_counts)

    @property
    def imbalance_ratio(self) -> float | None:
        """What was asked of the profile; none for data as they are."""
        return self.profile.imbalance_ratio

    def prepare_data(self) -> None:
        """Fetch what is missing, on one process per machine."""
        self.source.prepare(self.root)

    def setup(self, stage: str) -> None:
        """Read the images and choose the subset; the same on every process."""
        if self.trainer is not None and not self.has_validation:
            self.trainer.limit_val_batches = 0  # else Lightning warns of an empty split
        if stage == "fit":
            rules = list(self.samplers.values()) if self.samplers else [self.sampler]
            checks.check_sampling(self.added_images, rules)
        if not self._splits:
            self._choose()
        if stage == "fit" and self.added_images is not None and BOTH not in self._splits:
            added = AddedImages(self.added_images)
            self._splits[BOTH] = added.after(self._splits["train"], self.facts())

    def teardown(self, stage: str) -> None:
        """End the workers that decode images."""
        if self._splits:
            self._streams.close()

    def _choose(self) -> None:
        chosen = choose_splits(self.source, self.root, self._subset, self.monitor_test)
        self.chosen, self.fingerprint = chosen, chosen.fingerprint
        self._splits.update(chosen.splits)
        self._streams = Streams(self, chosen, self._splits)
        if self.test_root is not None:
            found = self.class_names, self.source, self.facts()["image_size"]
            self._splits["test"] = labelled_folder(Path(self.test_root), *found)
            if self.monitor_test:
                self._splits["val"] = self._splits["test"]
        counted = torch.bincount(self._splits["train"].labels, minlength=self.num_classes)
        assert torch.equal(counted, self.class_counts), "the plan and the images disagree"
        log.info("%d training images, fingerprint %s", int(counted.sum()), self.fingerprint)
        short = self._subset.short(*self._available()).nonzero().flatten().tolist()
        asked = self.profile.imbalance_ratio
        checks.warn_of_ratio(asked, self.class_counts, [self.class_names[c] for c in short])

    def facts(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data, as plain values."""
        images = self._splits["test"]
        size = images.images.shape[-1] if isinstance(images, MemoryImages) else None
        return {
            "fingerprint": self.fingerprint,
            "image_size": size or self.source.image_size,
            "mean": list(self.normalize.mean),
            "std": list(self.normalize.std),
            **self.source.reading.facts(),
        }

    @cached_property
    def test_fingerprint(self) -> str:
        """What tells the test images from others, also under the same names; after `setup`."""
        return fingerprint_of(self._splits["test"], self.facts()["image_size"])

    @cached_property
    def content(self) -> str:
        """What tells the training and held-out images from others under the same names."""
        own = ("train",) if self.monitor_test else ("train", "val")
        return content_of(self._splits[name] for name in own if name in self._splits)

    @property
    def tested_fingerprint(self) -> str:
        """What tells the images that a test looks at from others; after `setup`."""
        if not self.held_out_tested:
            return self.test_fingerprint
        return fingerprint_of(self._splits["val"], self.facts()["image_size"])

    @property
    def tested_root(self) -> str | None:  # type: ignore[override]
        """The folder that is tested in place of the source's test split, if one is."""
        return None if self.held_out_tested else self.test_root

    def evaluated(self) -> dict[str, ImageSet]:
        """Return the test split, and the one that is validated on where it is another."""
        names = ("test",) if self.monitor_test else ("test", "val")
        return {name: self._splits[name] for name in names if name in self._splits}

    def test_on_held_out(self) -> None:
        """Let a test look at the held-out images, and at no image of the test split.

        Raises:
            UserError: if there are none.
        """
        if not self.has_validation or self.monitor_test:
            raise UserError(
                "test_on is held_out but the run has no held-out images: add "
                "--data.holdout.fraction 0.1, or leave out --test_on."
            )
        self.held_out_tested = True

    @property
    def has_validation(self) -> bool:
        """Whether there is a split to validate on; known before the images are read."""
        extra = self.holdout is not None or self.monitor_test
        return extra or self.source.has_validation(self.root)

    def find_unlabelled(self) -> Found:
        """Return the unlabelled images, after `setup`."""
        if self._found is None:
            assert self.unlabelled is not None
            of = (self.chosen, self.facts()["image_size"], self.subset_seed)
            self._found = self.unlabelled.find(*of)
        return self._found

    def unlabelled_loader(self, normalize: Normalize) -> EvalLoader:
        """Return the unlabelled images as evaluation sees them, whole batches dealt out."""
        found = self.find_unlabelled().images
        return self._streams.loader_of(found, *self._streams.processes(), normalize, "unlabelled")

    def add_pseudo_labels(self, labels: Tensor) -> None:
        """Train on the unlabelled images too, with these labels, int64 (M,)."""
        found, marked = self.find_unlabelled(), labels + self.num_classes
        self._splits[ALL] = joined(self._splits["train"], found, marked)
        self.unlabelled_facts = facts_of(found, labels, self.class_counts)

    def whole(self, split: str) -> EvalLoader:
        """Return all of `split` ("train", "full", "val" or "test") on this process alone."""
        return self._streams.in_order(split, whole=True)

    def train_loaders(self, stage: Stage) -> dict[str, TrainLoader]:
        """Return the streams that `stage` draws by their names; one without samplers has none."""
        return self._streams.of_stage(stage)

    def drawn_shares(self, stream: str, stage: Stage, epoch: int) -> Tensor:
        """Return the expected share of each class in what `stream` draws, float64 (C,)."""
        return self._streams.shares(stream, stage, epoch)

    def train_dataloader(self) -> TrainLoader | CombinedLoader:
        """Return one stream, that of the stage, or all named streams side by side."""
        stage = self._streams.stage()
        made = self.train_loaders(stage)
        return made[stage.name] if stage.name in made else CombinedLoader(made, "min_size")

    def eval_loader(self, split: str) -> EvalLoader:
        """Return `split` ("train", "val" or "test") as evaluation sees it, after `setup`."""
        return self._streams.in_order(split)

    def val_dataloader(self) -> EvalLoader | list[EvalLoader]:
        """Return the validation split; nothing where there is none."""
        return self.eval_loader("val") if "val" in self._splits else []

    def test_dataloader(self) -> EvalLoader:
        """Return what is tested: the test split, or the held-out images in its place."""
        return self.eval_loader("val" if self.held_out_tested else "test")
