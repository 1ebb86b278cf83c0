"""README.md beside an exported network: how it is used without this package."""

from typing import Any

_VIEW = """import json
import math

import numpy as np
from PIL import Image, ImageOps

about = json.load(open("about.json", encoding="utf-8"))
size, short = about["image_size"], about["short_side"]
WHOLE = 2**24  # pixels, to which a picture is resized as a whole


def pixels(file):
    image = Image.open(file)
    if image.mode[0] in "IF":  # Pillow would make them white
        raise ValueError(f"{file} has more than 8 bits a channel ({image.mode})")
    if about["upright"]:
        image = ImageOps.exif_transpose(image)
    if about["background"] is not None:
        behind = Image.new("RGBA", image.size, tuple(about["background"]))
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    image = image.convert("RGB")
    width, height = image.size
    if max(width, height) <= size:  # small pictures are stretched
        return np.asarray(image.resize((size, size), Image.BILINEAR))
    longer = int(short * max(width, height) / min(width, height))
    wide = (short, longer) if width <= height else (longer, short)
    left, top = round((wide[0] - size) / 2), round((wide[1] - size) / 2)
    if wide[0] * wide[1] > WHOLE:  # a strip: only what the crop shows is resized
        (x, right, low_x, high_x), (y, bottom, low_y, high_y) = (
            reached(left, width, wide[0]), reached(top, height, wide[1])
        )
        image, box = image.crop((x, y, right, bottom)), (low_x, low_y, high_x, high_y)
        return np.asarray(image.resize((size, size), Image.BILINEAR, box))
    image = image.resize(wide, Image.BILINEAR)
    return np.asarray(image.crop((left, top, left + size, top + size)))


def reached(start, own, resized):
    low, high = start * own / resized, (start + size) * own / resized
    rim = max(own / resized, 1.0) + 1
    first, end = max(math.floor(low - rim), 0), min(math.ceil(high + rim), own)
    return first, end, low - first, high - first
"""
_RUN = {
    "onnx": """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
batch = np.stack([pixels("picture.png")])
probabilities = session.run(None, {"pixels": batch})[0]
""",
    "torch_export": """import torch

network = torch.export.load("model.pt2").module()
batch = np.stack([pixels("picture.png")])
probabilities = network(torch.tensor(batch)).detach().numpy()
""",
}
_SHOW = """for row in probabilities:
    print(about["class_names"][row.argmax()], row.max())
"""
_WEIGHTS = """from safetensors.numpy import load_file

weights = load_file("model.safetensors")
print(len(weights), "tensors")
"""


def readme(kind: str, about: dict[str, Any], by: str, tolerance: float) -> str:
    """Return the text.

    Args:
        kind: the format.
        about: the content of about.json.
        by: what compared the file with the run.
        tolerance: of a probability.
    """
    head = f"# {about['method']}, {len(about['class_names'])} classes\n\n"
    if kind == "safetensors":
        return (
            f"{head}`model.safetensors` has the weights alone, those that predict: a classifier "
            "that was changed after training is the changed one, and a change of its outputs is "
            "in `about.json` by name only. The network is that of lt_lightning.\n\n"
            f"```python\n{_WEIGHTS}```\n"
        )
    return (
        f"{head}The network takes uint8 pixels (N, {about['image_size']}, {about['image_size']}, "
        "3), red, green, blue, for any N, and returns probabilities (N, C) in float32. "
        "Normalisation, changes after training and softmax are inside; turning, resizing and "
        "cropping are these lines, for pictures of 8 bits a channel.\n\n"
        f"```python\n{_VIEW}\n\n{_RUN[kind]}{_SHOW}```\n\n"
        f"At export the file was read again by {by} and compared with the run on random pixels, "
        f"in batches of another size too: no probability differs by more than {tolerance:g}. "
        "What the model is good for stands in MODEL_CARD.md.\n"
    )
