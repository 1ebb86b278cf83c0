"""The folder of an exported run, written whole or not at all."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning import __version__
from lt_lightning.data.view import evaluation_side
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import UserError
from lt_lightning.export import formats
from lt_lightning.export.card import card
from lt_lightning.export.network import Exported
from lt_lightning.export.readme import readme
from lt_lightning.runs.files import whole_folder
from lt_lightning.runs.results import FILE_NAME, read_results


def export(kind: str, run: Predictor, folder: Path, label: str | None, out: Path) -> str:
    """Write network, README, model card and about.json; return what compared the network.

    Args:
        kind: the format, a key of `formats.FILES`.
        run: on the CPU.
        folder: of the run.
        label: the evaluation of these outputs, none where there is none.
        out: the folder to write.

    Raises:
        UserError: if it exists, cannot be written, or the network cannot be exported.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"--out {out} exists and is never overwritten: give another folder.")
    results = read_results(folder) if (folder / FILE_NAME).is_file() else None
    about = _about(run)
    with whole_folder(out, "export again") as aside:
        expected = _of_run(run)  # before the network takes the model over
        network = Exported(run).eval()
        formats.compare(*expected, network)
        by = formats.write(kind, network, run.image_size, aside / formats.FILES[kind])
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (aside / "about.json").write_text(text + "\n", encoding="utf-8")
        (aside / "README.md").write_text(readme(kind, about, by, formats.TOLERANCE), "utf-8")
        (aside / "MODEL_CARD.md").write_text(card(results, label, about, run.model.past), "utf-8")
    return by


def _of_run(run: Predictor) -> tuple[Tensor, Tensor]:
    """Return random pixels, uint8 (N, size, size, 3), and what the run says of them, (N, C)."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, 3, run.image_size, run.image_size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    rows = run.classify(enumerate(images), len(images))
    chances = torch.stack([row.probabilities for row in rows]).float()
    return images.permute(0, 2, 3, 1).contiguous(), chances


def _about(run: Predictor) -> dict[str, Any]:
    model, reading = run.model, run.reading
    return {
        "version": __version__,
        "method": type(model).__name__,
        "class_names": list(model.class_names),
        "class_counts": [int(count) for count in model.hparams["class_counts"]],
        "groups": {name: list(members) for name, members in model.test_stats.groups.items()},
        "image_size": run.image_size,
        "short_side": evaluation_side(run.image_size),
        "upright": reading.upright,
        "background": reading.background and list(reading.background),
        "mean": list(run.normalize.mean),
        "std": list(run.normalize.std),
        "changes": list(run.changes),
    }
