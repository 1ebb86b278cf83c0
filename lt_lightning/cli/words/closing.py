"""The last words of a run: five lines with the paths that matter."""

from pathlib import Path

from lightning.pytorch import Trainer

from lt_lightning import shell
from lt_lightning.callbacks.group_table import GroupTable
from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.metrics.names import NLL, VAL, logged
from lt_lightning.runs.results import FILE_NAME, epochs_told, read_results


def closing(folder: Path) -> str:
    """Return where the numbers, figures and weights of a run lie, and how to look at them."""
    figures = sorted(file.name for file in folder.glob("*.png"))
    weights = sorted(file.name for file in (folder / "checkpoints").glob("*.ckpt"))
    page = f"lt report {shell.word(folder)} --out {shell.word(folder / 'report.html')}"
    offline = any(folder.glob("wandb/offline-run-*"))
    page += f"; W&B: wandb sync {shell.word(folder)}/wandb/offline-run-*" if offline else ""
    lines = {
        "numbers": f"{folder / FILE_NAME}; over the epochs: metrics.csv",
        "figures": ", ".join(figures) or "none",
        "weights": ", ".join(f"checkpoints/{name}" for name in weights) or "none",
        "page": page,
    }
    lines = {**_cut(folder), **lines}
    listed = "".join(f"  {name:<8} {text}\n" for name, text in lines.items())
    return f"Figures and all numbers: {folder}\n{listed}"


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


def _cut(folder: Path) -> dict[str, str]:
    """Return how far a run was trained that ended before its last epoch."""
    try:
        told = epochs_told(read_results(folder)["training"])
    except UserError:
        return {}
    return {"epochs": f"{told}: the training was cut"} if " of " in told else {}
