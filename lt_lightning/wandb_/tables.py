"""What one test found out, as tables of W&B."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lt_lightning.callbacks.outcome import Outcome
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.reliability import reliability
from lt_lightning.wandb_ import names

_MAX_TABLE = 100  # a confusion table has C^2 rows; beyond this the picture has to do
_KEYS = ["Actual", "Predicted", "nPredictions"]  # what W&B's own confusion chart asks for


def tables(outcome: Outcome, tau_curve: Mapping[float, float]) -> dict[str, Any]:
    """Return the tables per class and per bin, the confusion and the tau curve, where they are."""
    found = {names.PER_CLASS: _per_class(outcome), names.RELIABILITY: _reliability(outcome)}
    if outcome.confusion is not None and len(outcome.class_names) <= _MAX_TABLE:
        counts = outcome.confusion.tolist()
        found[names.CONFUSION] = _confusion(Confusion("Confusion", outcome.class_names, counts))
    if tau_curve:
        found[names.TAU_CURVE] = _table(["tau", "acc_macro"], [list(p) for p in tau_curve.items()])
    return found


def class_weight_table(
    class_names: list[str], counts: list[int], weights: Tensor, epoch: int
) -> Any:
    """Return the weight of each class in the loss, and the epoch it is used from."""
    rows = zip(class_names, counts, weights.tolist(), strict=True)
    columns = ["name", "training_images", "weight", "from_epoch"]
    return _table(columns, [[*row, epoch] for row in rows])


def _table(columns: list[str], rows: list[list[Any]]) -> Any:
    import wandb

    return wandb.Table(columns=columns, data=rows)


def _per_class(outcome: Outcome) -> Any:
    rows = outcome.rows()
    columns = list(rows[0])
    return _table(columns, [[row[column] for column in columns] for row in rows])


def _reliability(outcome: Outcome) -> Any:
    """Return one row for each bin of confidence that holds an image."""
    columns = ["low", "high", "images", "confidence", "accuracy"]
    bins = reliability("", [outcome.bins()]).bins
    return _table(columns, [[b.low, b.high, b.images, b.confidence, b.accuracy] for b in bins])


def _confusion(found: Confusion) -> Any:
    import wandb

    cells = [
        [true, predicted, count]
        for true, row in zip(found.names, found.counts, strict=True)
        for predicted, count in zip(found.names, row, strict=True)
    ]
    return wandb.plot_table(
        vega_spec_name="wandb/confusion_matrix/v1",
        data_table=_table(_KEYS, cells),
        fields={key: key for key in _KEYS},
        string_fields={"title": found.title},
    )
