"""The device that a command or a call names."""

import torch

from lt_lightning.errors import UserError


def device_of(name: str, option: str = "--device") -> torch.device:
    """Return the device of that name, on which a tensor can be made.

    Args:
        name: such as cpu or cuda:1.
        option: what the message calls it.

    Raises:
        UserError: if there is none.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"{option} is {name!r}: give cpu, cuda, or cuda:1, say.") from error
    if device.type == "meta":
        raise UserError(f"{option} is {name!r}, which computes nothing: give cpu.")
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        kind = "GPU" if device.type == "cuda" else "such device"
        raise UserError(f"{option} is {name!r} but there is no {kind} here: give cpu.") from error
    return device
