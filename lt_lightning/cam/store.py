"""Writing a folder of added images, whole or not at all."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.added_images import ABOUT, ARRAY, image_file
from lt_lightning.runs.files import whole_folder


def write_added(
    out: Path,
    labels: Tensor,
    batches: Iterable[Tensor],
    about: dict[str, Any],
    sheet: bytes,
    *,
    as_files: bool,
) -> None:
    """Write the images, the facts and the contact sheet into the new folder `out`.

    Args:
        out: a folder that is absent or empty.
        labels: int64 (M,), sorted.
        batches: the images, uint8 (m, 3, H, W) each, in the order of `labels`.
        about: what added_images.json holds.
        sheet: the content of contact_sheet.png.
        as_files: one PNG file for each image, not one array of all.

    Raises:
        UserError: if the disk refuses it; nothing is left behind then.
    """
    with whole_folder(out, "make them again, or give another --out") as aside:
        (_write_files if as_files else _write_array)(aside, labels, batches)
        (aside / "contact_sheet.png").write_bytes(sheet)
        text = json.dumps(about, indent=1, ensure_ascii=False)
        (aside / ABOUT).write_text(text + "\n", encoding="utf-8")


def _write_array(folder: Path, labels: Tensor, batches: Iterable[Tensor]) -> None:
    images = torch.cat([batch.cpu() for batch in batches])
    np.savez(folder / ARRAY, images=images.numpy(), labels=labels.numpy())


def _write_files(folder: Path, labels: Tensor, batches: Iterable[Tensor]) -> None:
    from PIL import Image

    made = [0] * (int(labels.max()) + 1)
    every = iter(labels.tolist())
    for batch in batches:
        for image in batch.permute(0, 2, 3, 1).cpu().numpy():
            label = next(every)
            file = image_file(folder, label, made[label])
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
            made[label] += 1
