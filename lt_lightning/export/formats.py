"""The files of an exported network, each read again and compared with the run."""

import json
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.errors import Refused, UserError
from lt_lightning.export.network import Exported

FILES = {"onnx": "model.onnx", "torch_export": "model.pt2", "safetensors": "model.safetensors"}
TOLERANCE = 1e-5  # of a probability
_NEEDED = {"onnx": ("onnx", "onnxscript"), "torch_export": (), "safetensors": ("safetensors",)}
_BATCHES = (1, 5)  # sizes other than that of the example


def check(kind: str) -> None:
    """Refuse a format whose packages are not installed.

    Raises:
        Refused: if one is missing.
    """
    missing = [name for name in _NEEDED[kind] if find_spec(name) is None]
    if missing:
        raise Refused(
            f"--format {kind} needs the package {missing[0]}, which is not installed: "
            'pip install "lt_lightning[export]", or give --format torch_export.'
        )


def write(kind: str, network: Exported, size: int, file: Path) -> str:
    """Write the file, and return what it was compared by.

    Args:
        kind: "onnx", "torch_export" or "safetensors".
        network: in evaluation mode, on the CPU.
        size: pixels a side.
        file: to be written.

    Raises:
        UserError: if the network cannot be exported, or what was written says something else.
    """
    if kind == "safetensors":
        return _weights(network, file)
    example = _pixels(2, size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporters warn of their own code
            run, by = (_onnx if kind == "onnx" else _program)(network, example, file)
    except Exception as error:  # of whatever the network does that the exporter does not know
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"{type(network.model).__name__} cannot be exported as {kind} ({told[0][:200]}): give "
            "--format safetensors."
        ) from error
    for count in _BATCHES:
        images = _pixels(count, size)
        with torch.no_grad():
            found = run(images)
        compare(images, found, network, by)
    return by


def compare(images: Tensor, chances: Tensor, network: Exported, by: str = "lt predict") -> None:
    """Refuse a network that says something else of images than was said of them.

    Args:
        images: uint8 (N, size, size, 3).
        chances: (N, C).
        network: in evaluation mode, on the CPU.
        by: what gave these chances.

    Raises:
        UserError: if a probability differs by more than `TOLERANCE`.
    """
    with torch.no_grad():
        gap = float((chances - network(images)).abs().max())
    if not gap <= TOLERANCE:
        raise UserError(
            f"The exported network differs from the run by {gap:.2g} (by {by}), more than "
            f"{TOLERANCE:g}: give another --format."
        )


def _pixels(count: int, size: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    shape = (count, size, size, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def _program(
    network: Exported, example: Tensor, file: Path
) -> tuple[Callable[[Tensor], Tensor], str]:
    with torch.no_grad():
        shapes = ({0: torch.export.Dim("N")},)
        program = torch.export.export(network, (example,), dynamic_shapes=shapes)
    torch.export.save(program, file)
    read: Callable[[Tensor], Tensor] = torch.export.load(file).module()
    return read, "torch"


def _onnx(network: Exported, example: Tensor, file: Path) -> tuple[Callable[[Tensor], Tensor], str]:
    with torch.no_grad():
        found = torch.onnx.export(
            network,
            (example,),
            input_names=["pixels"],
            output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            dynamo=True,
            verbose=False,
        )
    assert found is not None
    found.save(file, external_data=False)
    if find_spec("onnxruntime") is None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        reference = ReferenceEvaluator(onnx.load(file))
        return lambda x: torch.tensor(reference.run(None, {"pixels": x.numpy()})[0]), "onnx"
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda x: torch.tensor(session.run(None, {"pixels": x.numpy()})[0]), "onnxruntime"


def _weights(network: Exported, file: Path) -> str:
    from safetensors.torch import load_file, save_file

    kept = {name: value.contiguous().clone() for name, value in network.state_dict().items()}
    names = json.dumps(network.model.class_names)
    save_file(kept, file, metadata={"class_names": names, **network.model.past.in_header()})
    read = load_file(file)
    if read.keys() != kept.keys() or any(not torch.equal(read[k], v) for k, v in kept.items()):
        raise UserError(f"{file.name} was read back with other numbers: give another --format.")
    return "safetensors"
