"""What a test found out, gathered once and given to files and dashboards."""

import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.errors import UserError
from lt_lightning.figures.class_size import ClassAccuracy
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.reliability import reliability
from lt_lightning.metrics.names import (
    ACC,
    ACC_MACRO,
    ACC_TOP5,
    ACC_WORST,
    AUC,
    BRIER,
    ECE,
    F1_MACRO,
    MCE,
    NLL,
    group_acc,
)
from lt_lightning.runs.reported import ReportedData
from lt_lightning.trainer_parts import data_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger("lt_lightning")
_KEYS = (
    *("name", "group", "training_images", "test_images", "correct", "accuracy"),
    *("predicted", "precision", "f1"),
)


def reported(
    trainer: Trainer, pl_module: LightningModule, asker: str
) -> tuple[EvaluatedModule, ReportedData]:
    """Return the module and its data, where they can be reported on.

    Raises:
        UserError: if they are of another kind.
    """
    data = data_of(trainer)
    if not isinstance(data, ReportedData):
        raise UserError(
            f"{asker} knows no classes of the data module {type(data).__name__}: pass "
            "datamodule=LongTailDataModule(...) to the trainer."
        )
    if not isinstance(pl_module, EvaluatedModule):
        raise UserError(
            f"{asker} finds no counts of a test in {type(pl_module).__name__}: use a "
            "LongTailModule."
        )
    return pl_module, data


@dataclass(frozen=True)
class Outcome:
    """The counts of one test, summed over all processes, and the classes they belong to.

    Attributes:
        values: metrics by name.
        per_class: what `ClassStats.per_class` returns.
        reliability: what `ClassStats.reliability` returns.
        confusion: int64 (C, C), or none where there are too many classes.
        class_counts: int64 (C,), training images.
        class_names: C names.
        groups: classes of each group.
        weight_norms: L2 norm of each class's weights in the classifier, (C,), or none.
        pretext: metrics of the task without labels, of a self-supervised run.
        facts: numbers that the method worked out for the evaluation, by name.
    """

    values: dict[str, float]
    per_class: dict[str, Tensor]
    reliability: dict[str, Tensor]
    confusion: Tensor | None
    class_counts: Tensor
    class_names: list[str]
    groups: dict[str, list[int]]
    weight_norms: Tensor | None = None
    pretext: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, module: EvaluatedModule, data: ReportedData, variant: str = "") -> "Outcome":
        """Gather the counts; called on every process, for they are summed over all.

        Args:
            module: the tested module.
            data: what it was trained and tested on.
            variant: a key of the module's `variants`, other ways to predict from the same
                weights; empty is the method's own.
        """
        stats = module.variants[variant] if variant else module.test_stats
        confusion = None if variant else module.test_confusion
        areas = None if variant or module.test_auc is None else module.test_auc.compute()
        mean = math.nan if areas is None else float(areas.nanmean())
        return cls(
            values={**stats.compute(), **({} if math.isnan(mean) else {AUC: mean})},
            per_class=stats.per_class(),
            reliability=stats.reliability(),
            confusion=None if confusion is None else confusion.compute().cpu(),
            class_counts=data.class_counts.cpu(),
            class_names=[str(name) for name in data.class_names],
            groups={name: list(members) for name, members in data.groups.items()},
            weight_norms=module.weight_norms(),
            pretext=module.pretext_values(),
            facts={} if variant else module.evaluation_facts(),
        )

    @classmethod
    def all_of(cls, module: EvaluatedModule, data: ReportedData) -> "dict[str, Outcome]":
        """Gather the counts of the method, under "", and of its variants that counted images."""
        found = {name: cls.of(module, data, name) for name in ("", *module.variants)}
        return {name: outcome for name, outcome in found.items() if not name or outcome.images}

    @property
    def images(self) -> int:
        """The number of test images."""
        return int(self.per_class["total"].sum())

    def warn_of_overflow(self) -> None:
        """Say how many images have no class, for their logits are not finite."""
        lost = self.images - int(self.per_class["predicted"].sum())
        if lost:
            log.warning(
                "%d of %d test images have logits that are not finite and count as misses: the "
                "weights are too large, train again.",
                lost,
                self.images,
            )

    @property
    def group_of(self) -> list[str | None]:
        """The group of each class, or none."""
        found: list[str | None] = [None] * len(self.class_names)
        for name, members in self.groups.items():
            for index in members:
                found[index] = name
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per class, in label order."""
        columns = zip(
            self.class_names,
            self.group_of,
            self.class_counts.tolist(),
            self.per_class["total"].tolist(),
            self.per_class["correct"].tolist(),
            plain(self.per_class["accuracy"]),
            self.per_class["predicted"].tolist(),
            plain(self.per_class["precision"]),
            plain(self.per_class["f1"]),
            strict=True,
        )
        return [dict(zip(_KEYS, row, strict=True)) for row in columns]

    def bins(self) -> dict[str, list[Any]]:
        """Return the bins of confidence, in plain values."""
        return {name: plain(values) for name, values in self.reliability.items()}

    def as_json(self) -> dict[str, Any]:
        """Return plain values; see `runs.results` for what they mean."""
        total = self.per_class["total"]
        names = (ACC, ACC_MACRO, ACC_WORST, ACC_TOP5, F1_MACRO, AUC, NLL, ECE, MCE, BRIER)
        more: dict[str, Any] = {}
        if self.weight_norms is not None:
            more["weight_norms"] = self.weight_norms.tolist()
        if self.pretext:
            more["pretext"] = self.pretext
        if self.confusion is not None:
            more["confusion"] = [_sparse(row) for row in self.confusion.tolist()]
        return {
            "images": self.images,
            "overall": {name: self.values[name] for name in names if name in self.values},
            "groups": {
                name: {
                    "acc": self.values[group_acc(name)],
                    "classes": len(members),
                    "images": int(total[members].sum()),
                }
                for name, members in self.groups.items()
                if group_acc(name) in self.values
            },
            "classes": self.rows(),
            "reliability": self.bins(),
            **more,
            **self.facts,
        }

    def figures(self, title: str) -> dict[str, "Figure"]:
        """Return the figures by name."""
        from lt_lightning.figures import png  # here, for matplotlib takes a second to load

        accuracy = ClassAccuracy.of(title, self.rows(), self.groups)
        diagram = reliability(title, [self.bins()])
        found = {
            "accuracy": png.draw_class_accuracy(accuracy),
            "reliability": png.draw_reliability(diagram, self.values),
        }
        if self.confusion is not None:
            table = Confusion(title, self.class_names, self.confusion.tolist())
            found["confusion"] = png.draw_confusion(table)
        return found


def _sparse(row: list[int]) -> str:
    """Return "predicted:images" of what is not 0, for a table of 1,000 classes is mostly 0."""
    return " ".join(f"{index}:{count}" for index, count in enumerate(row) if count)


def plain(values: Tensor) -> list[Any]:
    """Return a list in which NaN is None, for JSON has no NaN."""
    return [
        None if isinstance(value, float) and math.isnan(value) else value
        for value in values.tolist()
    ]
