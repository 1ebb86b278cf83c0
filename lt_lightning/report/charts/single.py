"""Figures of one method, all seeds together."""

from collections.abc import Sequence

from lt_lightning.figures.clouds import Clouds, clouds
from lt_lightning.figures.confusion import Confusion, head_to_tail, read_sparse
from lt_lightning.figures.reliability import Reliability, reliability
from lt_lightning.report.cell import Cell
from lt_lightning.report.features_file import read_features
from lt_lightning.report.made_of import is_made_of
from lt_lightning.report.run import Run


def reliability_of(cell: Cell) -> Reliability:
    """Return the reliability of the images of all seeds, without bins where they do not fit."""
    tables = [entry.evaluation["reliability"] for entry in cell.entries]
    return reliability(f"Reliability of {cell.method}", tables)


def confusion_of(cell: Cell) -> Confusion | None:
    """Return the confusion summed over the seeds, the largest class first.

    None where a run has no table, or the seeds have classes of other sizes.
    """
    facts = cell.first.run.content["data"]
    found = [entry.evaluation.get("confusion") or [] for entry in cell.entries]
    sizes = [entry.run.content["data"]["class_counts"] for entry in cell.entries]
    if [] in found or any(size != sizes[0] for size in sizes):
        return None
    names = [str(name) for name in facts["class_names"]]
    table = Confusion(f"Confusion matrix of {cell.method}", names, read_sparse(found, len(names)))
    return table.ordered(head_to_tail(facts["class_counts"]))


def clouds_of(cell: Cell, order: Sequence[str]) -> tuple[Run, Clouds] | None:
    """Return the first seed that has features, and these; or none.

    They are shown beside the test that they were made for alone, and only while its weights are
    the same.

    Args:
        cell: the cell.
        order: the groups of all cells, which have one style all over.
    """
    for entry in cell.entries:
        facts = entry.run.content["data"]
        found = read_features(entry.run.folder, len(facts["class_names"]))
        if found is None or not found.labels or found.evaluation != entry.label:
            continue
        if is_made_of(entry.evaluation, found.weights, found.fingerprint):
            points = list(zip(found.labels, found.x, found.y, strict=True))
            title = f"Test features of {cell.method}"
            return entry.run, clouds(title, points, facts["class_names"], facts["groups"], order)
    return None
