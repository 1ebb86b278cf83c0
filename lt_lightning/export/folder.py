"""The folder of an exported run, written whole or not at all."""

import json
from pathlib import Path
from typing import Any

from lt_lightning import __version__
from lt_lightning.data.decode import evaluation_side
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import UserError
from lt_lightning.export import formats
from lt_lightning.export.card import card
from lt_lightning.export.network import Exported
from lt_lightning.export.readme import readme
from lt_lightning.runs.files import whole_folder
from lt_lightning.runs.results import FILE_NAME, read_results


def export(
    kind: str, run: Predictor, folder: Path, label: str | None, changes: list[str], out: Path
) -> str:
    """Write network, README, model card and about.json; return what compared the network.

    Args:
        kind: the format, a key of `formats.FILES`.
        run: on the CPU.
        folder: of the run.
        label: the evaluation of these outputs, none where there is none.
        changes: what was changed after training.
        out: the folder to write.

    Raises:
        UserError: if it exists, cannot be written, or the network cannot be exported.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"--out {out} exists and is never overwritten: give another folder.")
    results = read_results(folder) if (folder / FILE_NAME).is_file() else None
    about = _about(run, changes)
    with whole_folder(out, "export again") as aside:
        network = Exported(run).eval()
        by = formats.write(kind, network, run.image_size, aside / formats.FILES[kind])
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (aside / "about.json").write_text(text + "\n", encoding="utf-8")
        (aside / "README.md").write_text(readme(kind, about, by, formats.TOLERANCE), "utf-8")
        (aside / "MODEL_CARD.md").write_text(card(results, label, about), "utf-8")
    return by


def _about(run: Predictor, changes: list[str]) -> dict[str, Any]:
    model, reading = run.model, run.reading
    return {
        "version": __version__,
        "method": type(model).__name__,
        "class_names": list(model.class_names),
        "class_counts": [int(count) for count in model.hparams["class_counts"]],
        "groups": {name: list(members) for name, members in model.test_stats.groups.items()},
        "image_size": run.image_size,
        "short_side": evaluation_side(run.image_size),
        "background": list(reading.background or (255, 255, 255)),
        "mean": list(run.normalize.mean),
        "std": list(run.normalize.std),
        "changes": changes,
    }
