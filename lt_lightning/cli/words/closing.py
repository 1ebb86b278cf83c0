"""The last words of a run: five lines with the paths that matter."""

from pathlib import Path

from lt_lightning import shell
from lt_lightning.errors import UserError
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


def _cut(folder: Path) -> dict[str, str]:
    """Return how far a run was trained that ended before its last epoch."""
    try:
        told = epochs_told(read_results(folder)["training"])
    except UserError:
        return {}
    return {"epochs": f"{told}: the training was cut"} if " of " in told else {}
