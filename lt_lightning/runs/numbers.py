"""Environment variables that are numbers, checked before anything reads one of them."""

import os
import re

from lt_lightning.errors import Refused

_WHOLE = re.compile(r"[0-9]{1,10}")
_LISTS = re.compile(r"[0-9]{1,10}(,[0-9]{1,10})*")  # threads of each level
_SIGNED = re.compile(r"-?[0-9]{1,10}")
_HIGHEST_PORT = 65_535
_NAMES = {
    **dict.fromkeys(
        (
            *("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
            *("MASTER_PORT", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_MAX_RESTARTS"),
            *("SLURM_JOB_ID", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_NTASKS"),
            *("SLURM_NNODES", "SLURM_NTASKS_PER_NODE", "SLURM_RESTART_COUNT", "SLURM_STEP_ID"),
            *("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "PL_SEED_WORKERS"),
            "LT_LOST_AFTER",
            *("JSM_NAMESPACE_RANK", "JSM_NAMESPACE_LOCAL_RANK", "JSM_NAMESPACE_SIZE"),
        ),
        _WHOLE,
    ),
    "PL_GLOBAL_SEED": _SIGNED,
    "OMP_NUM_THREADS": _LISTS,
    "MKL_NUM_THREADS": _LISTS,
}


def check() -> None:
    """Refuse a variable that is no number, which whoever starts processes sets.

    Raises:
        Refused: if there is one, or if torchrun's store has no address.
    """
    for name, form in _NAMES.items():
        value = os.environ.get(name)
        if value is None:
            continue
        too_high = name == "MASTER_PORT" and form.fullmatch(value) and int(value) > _HIGHEST_PORT
        if too_high or not form.fullmatch(value):
            told = f"{value[:40]}..." if len(value) > 40 else value
            raise Refused(
                f"The environment variable {name} is {told!r}: it must be a whole number, so set "
                f"it to one, or unset {name}."
            )
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
        if missing:
            raise Refused(
                f"TORCHELASTIC_USE_AGENT_STORE is set but {missing[0]} is not: start the processes "
                "by torchrun, or unset it."
            )
