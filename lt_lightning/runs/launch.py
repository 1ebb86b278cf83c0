"""How the processes of one run were started, and how they agree on its folder.

Lightning starts the others itself and hands its environment down. torchrun starts all of them, and
they meet at its store. SLURM starts all of them, and the folder follows from the job. No process
writes anything before all of them know the folder.
"""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

_FOLDER = "LT_RUN_FOLDER"  # the processes that Lightning starts get the first one's answer
_PATIENCE = timedelta(minutes=10)
_SHELLS = ("bash", "interactive")  # names of jobs that Lightning takes for no job
_RESTARTS = ("SLURM_RESTART_COUNT", "TORCHELASTIC_RESTART_COUNT")
_given: list[str] | None = None  # the words of the command that is at work in this process


def note_command(arguments: Sequence[str]) -> None:
    """Take note of the words after `lt`, whoever gave them: a shell, torchrun or Python."""
    global _given
    _given = list(arguments)


def command() -> list[str]:
    """Return the command at work; without one, how this process was started, by its name only."""
    if _given is not None:
        return ["lt", *_given]
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def rank() -> str:
    """Return the number of this process, as far as the environment tells it.

    A job script and a shell of SLURM are task 0, and so is all that Lightning starts in them.
    """
    by_slurm = ("SLURM_PROCID", "LOCAL_RANK") if slurm_counts() else ("LOCAL_RANK", "SLURM_PROCID")
    return next((os.environ[name] for name in ("RANK", *by_slurm) if name in os.environ), "0")


def is_first() -> bool:
    """Return whether this is the first process of the run; known before the group is formed."""
    return _is_zero(rank()) and _is_zero(os.environ.get("NODE_RANK", "0"))


def is_child() -> bool:
    """Return whether Lightning started this process, from the first one of the run."""
    outside = by_torchrun() or slurm_counts()
    return not _is_zero(os.environ.get("LOCAL_RANK", "0")) and not outside


def _is_zero(number: str) -> bool:
    """Return whether the number of a process, as the environment writes it, is 0: also as 00."""
    return number.strip().strip("0") == "" and "0" in number


def by_torchrun() -> bool:
    """Return whether torchrun started this process, in a job of SLURM or not."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def torchrun_id() -> str | None:
    """Return the --rdzv-id of torchrun, which all of its starts share, or none."""
    found = os.environ.get("TORCHELASTIC_RUN_ID")
    return found if found not in ("", "none") else None


def is_elastic() -> bool:
    """Return whether torchrun starts processes again, perhaps fewer of them."""
    return by_torchrun() and int(os.environ.get("TORCHELASTIC_MAX_RESTARTS") or 0) > 0


def knows_itself() -> bool:
    """Return whether a start of this job can tell that it is one of several."""
    return slurm_job() is not None or torchrun_id() is not None


def slurm_counts() -> bool:
    """Return whether the processes of a run are the tasks of a job: Lightning starts none then."""
    return "SLURM_NTASKS" in os.environ and os.environ.get("SLURM_JOB_NAME") not in _SHELLS


def slurm_job() -> str | None:
    """Return the id of the batch job; none outside of one, and in an interactive one.

    A task of a job array is <array>_<task>: its own id is not what `scontrol requeue` is given.
    """
    if os.environ.get("SLURM_JOB_NAME") in _SHELLS:
        return None
    job, array = os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURM_ARRAY_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if job and array and task else job


def restarts() -> int:
    """Return how often SLURM or torchrun has started this job again."""
    return max(int(os.environ.get(name) or 0) for name in _RESTARTS)


def forget_own() -> None:
    """Forget the folder of an earlier command in this process; a child keeps its parent's."""
    if "LOCAL_RANK" not in os.environ:
        os.environ.pop(_FOLDER, None)


def known() -> Path | None:
    """Return the folder of this run, where it was chosen already."""
    return Path(os.environ[_FOLDER]) if _FOLDER in os.environ else None


def agree(
    what: str,
    choose: Callable[[], Path | None],
    accept: Callable[[Path], bool] | None = None,
) -> Path | None:
    """Return what the first process chooses, on every process.

    Args:
        what: name of the question; each process asks it once.
        choose: what the first process does.
        accept: whether a folder that a parent handed down is an answer to this question.
    """
    if _FOLDER in os.environ:
        given = Path(os.environ[_FOLDER])
        return given if accept is None or accept(given) else None
    store, key = _store(), f"lt_{what}_{restarts()}"
    if store is None or is_first():
        found = choose()
        if store is not None:
            store.set(key, str(found or ""))
    else:
        text = store.get(key).decode()
        found = Path(text) if text else None
    if found is not None:
        os.environ[_FOLDER] = str(found)
    return found


def started_one_by_one() -> bool:
    """Return whether the user started several processes that know nothing of each other."""
    numbered = "RANK" in os.environ or "NODE_RANK" in os.environ
    return numbered and slurm_job() is None and _store() is None


def _store() -> "TCPStore | None":
    """Return the store of torchrun, where it started this process."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    return TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=_PATIENCE)
