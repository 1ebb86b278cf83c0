"""The loaders of a data module: streams of training images, and whole splits in order."""

import os
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lt_lightning.augment import Normalize
from lt_lightning.data import checks
from lt_lightning.data.loader import EvalLoader, Pipeline, TrainLoader
from lt_lightning.data.reader import BatchReader
from lt_lightning.data.source import ImageSet, MemoryImages
from lt_lightning.data.splits import Splits
from lt_lightning.samplers import EpochSampler, SamplingRule
from lt_lightning.stages import Stage, Staged

if TYPE_CHECKING:
    from lt_lightning.data.datamodule import LongTailDataModule

BOTH = "train+added"  # the name of the training images together with the added ones
ALL = "train+unlabelled"  # ... and with images that a teacher labelled


class Streams:
    """Makes loaders of the images that a data module chose.

    Args:
        data: whose settings are read, and whose trainer says which process this is.
        chosen: the images of the source, and which of them are used.
        splits: the images by the name of their split; those of a stage are added where asked for.
    """

    def __init__(
        self, data: "LongTailDataModule", chosen: Splits, splits: dict[str, ImageSet]
    ) -> None:
        self.data, self.chosen, self.splits = data, chosen, splits
        self._readers: dict[str, BatchReader] = {}

    def processes(self) -> tuple[int, int]:
        """Return the rank of this process, and how many there are."""
        trainer = self.data.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)

    def stage(self) -> Stage:
        """Return the stage of the epoch that comes next, which the method knows."""
        trainer = self.data.trainer
        if trainer is None:
            return Stage(1, 0, 1)
        module = trainer.lightning_module
        if isinstance(module, Staged):
            return module.stage_at(trainer.current_epoch)
        return Stage(1, 0, max(trainer.max_epochs or 1, 1))

    def train(self, rule: SamplingRule, number: int, stage: Stage, name: str = "") -> TrainLoader:
        """Return one stream of training images.

        Args:
            rule: how it is drawn.
            number: of the stream, 0-based; streams draw independently.
            stage: of the epoch.
            name: of the stream, empty for a method with one.
        """
        data, (rank, world), device = self.data, self.processes(), self._device()
        split = self._drawn_from(stage)
        labels, added = self._labels(stage)
        if stage.features:
            images, pipeline = self._features(split), Pipeline(None, torch.Tensor.float, device)
        else:
            augment = data.augments.get(name, data.augment) if stage.augment else None
            images, pipeline = self._images(split), Pipeline(augment, data.normalize, device)
        sampler = EpochSampler(
            rule,
            labels,
            num_classes=data.num_classes,
            seed=self._seed(),
            max_epochs=stage.epochs,
            num_samples=data.epoch_length,
            num_replicas=world,
            rank=rank,
            stream=number,
            first_epoch=stage.first_epoch,
            added=added,
            held=self._overfits(),
        )
        loader = TrainLoader(
            images,
            sampler,
            batch_size=checks.batch_share(data.batch_size, world),
            drop_last=data.drop_last,
            pipeline=pipeline,
            seed=self._seed(),
            views=data.views.get(name, 1),
            reader=self._reader(f"stream {number}", images),
        )
        checks.check_batches(len(loader), data.batch_size, len(sampler) * world)
        return loader

    def of_stage(self, stage: Stage) -> dict[str, TrainLoader]:
        """Return the streams that `stage` draws by their names; one without samplers has none."""
        rules = self.data.samplers or {}
        if stage.name or not rules:
            rule = self._rule(stage.name)
            return {stage.name: self.train(rule, stage.number - 1, stage, stage.name)}
        return {
            name: self.train(rule, k, stage, name)
            for k, (name, rule) in enumerate(sorted(rules.items()))
        }

    def _rule(self, name: str) -> SamplingRule:
        return self.data.samplers[name] if self.data.samplers else self.data.sampler

    def shares(self, name: str, stage: Stage, epoch: int) -> Tensor:
        """Return the expected share of each class in what a stream draws, float64 (C,).

        Args:
            name: of the stream, empty for a method with one.
            stage: of the epoch.
            epoch: 0-based, of the run.
        """
        labels, added = self._labels(stage)
        counts = torch.bincount(labels[: len(labels) - added], minlength=self.data.num_classes)
        return self._rule(name).shares(counts, epoch - stage.first_epoch, stage.epochs)

    def _drawn_from(self, stage: Stage) -> str:
        joint = next((name for name in (BOTH, ALL) if name in self.splits), "train")
        return "full" if stage.full_data else joint

    def _labels(self, stage: Stage) -> tuple[Tensor, int]:
        """Return the class of each image that `stage` may draw, and how many are added ones."""
        split = self._drawn_from(stage)
        labels = self._images(split).labels.cpu()
        added = len(labels) - len(self.splits["train"]) if split == BOTH else 0
        return labels % self.data.num_classes, added  # those of a teacher are told by C more

    def in_order(self, split: str, *, whole: bool = False) -> EvalLoader:
        """Return a split as evaluation sees it.

        Args:
            split: "train", "full", "val" or "test".
            whole: all of it on this process alone; else whole batches are dealt out.
        """
        rank, world = (0, 1) if whole else self.processes()
        return self.loader_of(self._images(split), rank, world, self.data.normalize, split)

    def loader_of(
        self, images: ImageSet, rank: int, world: int, normalize: Normalize, name: str
    ) -> EvalLoader:
        """Return images as evaluation sees them; `name` tells them from others."""
        return EvalLoader(
            images,
            batch_size=self.data.eval_batch_size,
            pipeline=Pipeline(None, normalize, self._device()),
            rank=rank,
            world_size=world,
            reader=self._reader(f"split {name}", images),
        )

    def close(self) -> None:
        """End the workers; loaders that are read later start others."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _reader(self, name: str, images: ImageSet) -> BatchReader:
        """Return that of the loader before, so that its workers go on where the images did."""
        found = self._readers.get(name)
        if found is None or found.images is not images:
            if found is not None:
                found.close()
            found = self._readers[name] = BatchReader(images, self.data.workers)
        return found

    def _device(self) -> torch.device:
        trainer = self.data.trainer
        return torch.device("cpu") if trainer is None else trainer.strategy.root_device

    def _overfits(self) -> bool:
        # Lightning sets the attribute outside of the class.
        trainer = self.data.trainer
        return trainer is not None and trainer.overfit_batches > 0  # type: ignore[attr-defined]

    def _seed(self) -> int:
        # Lightning keeps the value of seed_everything in this variable.
        own = self.data.seed
        return own if own is not None else int(os.environ.get("PL_GLOBAL_SEED", "0"))

    def _images(self, split: str) -> ImageSet:
        if split not in self.splits:  # that of a stage with all images
            self.splits[split] = self.chosen.everything.select(self.chosen.before_profile)
        found = self.splits[split]
        if isinstance(found, MemoryImages):
            # Moved once: the loaders of a run of several stages are made anew every epoch.
            found = self.splits[split] = found.to(self._device())
        return found

    def _features(self, split: str) -> ImageSet:
        """Return the features of the images of `split`, computed once."""
        if "features" not in self.splits:
            trainer = self.data.trainer
            assert trainer is not None
            module = trainer.lightning_module
            assert isinstance(module, Staged), "a stage of features is of a method that has stages"
            features: Tensor = module.stage_features(self.in_order(split, whole=True))
            self.splits["features"] = MemoryImages(self._images(split).labels, features)
        return self.splits["features"]
