"""What `lt validate` says."""

from lightning.pytorch import Trainer

from lt_lightning.callbacks.group_table import GroupTable
from lt_lightning.data import LongTailDataModule
from lt_lightning.metrics.names import NLL, VAL, logged


def validated(trainer: Trainer, data: LongTailDataModule) -> str:
    """Return the numbers of a validation in one line.

    Args:
        trainer: that has validated.
        data: that was validated on.
    """
    metrics = trainer.callback_metrics
    columns = GroupTable(data.groups, data.monitor_test).columns
    known = {name: metrics.get(logged(VAL, key)) for name, key in columns.items()}
    numbers = [
        f"{name} {100 * float(value):.1f} %" for name, value in known.items() if value is not None
    ]
    nll = metrics.get(logged(VAL, NLL))
    told = ", ".join([*numbers, *([] if nll is None else [f"NLL {float(nll):.3f}"])])
    images = len(data.evaluated()["test" if data.monitor_test else "val"])
    what = f"{images} {'TEST' if data.monitor_test else 'held-out'} images"
    part = sum(trainer.num_val_batches) < len(data.val_dataloader())
    return f"On {f'a part of the {what}' if part else what}: {told}\n"
