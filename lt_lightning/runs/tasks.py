"""Whether the processes that SLURM or torchrun started are those that the trainer counts on.

Told by the environment alone, before a folder is chosen: where they differ, several copies of a run
write into one folder, or a process waits for ever for others that nobody starts.
"""

import logging
import os
from dataclasses import dataclass

from lt_lightning.errors import Refused
from lt_lightning.runs import launch

log = logging.getLogger("lt_lightning")
# One of them tells where the nodes of a run meet; the first by hand, the others by LSF and MPI.
_MEETING_PLACES = ("MASTER_ADDR", "LSB_DJOB_RANKFILE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_OWN_STEPS = 4_294_967_290  # from here on SLURM numbers the shells of a job, which no srun started


@dataclass(frozen=True)
class _Tasks:
    """The tasks of a job, or of the srun in it that started this process.

    Attributes:
        number: of all of them.
        per_node: of those on one node; none where the job script does not say.
        nodes: of the job.
        by_srun: whether srun started this process; else it is that of the job script.
    """

    number: int
    per_node: int | None
    nodes: int
    by_srun: bool


def check(devices: int, nodes: int) -> int:
    """Refuse a training or a test whose processes were not started as the trainer expects.

    Args:
        devices: processes on each node.
        nodes: number of nodes.

    Returns:
        The number of nodes that take part: fewer than asked for where torchrun, which may start
        processes again, has no more. A node that comes back is counted then.

    Raises:
        Refused: if they differ.
    """
    if launch.by_torchrun():
        nodes = _nodes_that_came(devices, nodes)
        _check_torchrun(devices, nodes)
    elif "SLURM_JOB_ID" not in os.environ:
        _check_by_hand(nodes)
    elif launch.slurm_counts():
        _check_job(_tasks(), devices, nodes)
    else:
        _check_shell(_tasks(), nodes)
    return nodes


def check_alone(command: str) -> None:
    """Refuse several tasks of a command that is one process.

    Raises:
        Refused: if srun started several.
    """
    tasks = _tasks()
    if not launch.by_torchrun() and tasks.by_srun and tasks.number > 1:
        raise _refused(
            f"lt {command} is one process and srun started {tasks.number}: write srun --ntasks=1 "
            f"--nodes=1 lt {command} ..."
        )


def _nodes_that_came(devices: int, nodes: int) -> int:
    started, here = _number("WORLD_SIZE"), _number("LOCAL_WORLD_SIZE")
    if not launch.is_elastic() or not started or here != devices or started % devices:
        return nodes
    came = started // devices
    if came < nodes and launch.is_first():
        processes = "1 process" if started == 1 else f"{started} processes"
        log.warning(
            "torchrun came with %d of %d nodes: %s for the whole batch, data.batch_size.",
            came,
            nodes,
            processes,
        )
    return min(came, nodes)


def _check_torchrun(devices: int, nodes: int) -> None:
    started = _number("WORLD_SIZE") or devices * nodes
    told = _number("LOCAL_WORLD_SIZE")
    if started != devices * nodes or told not in (None, devices):
        here = told or started
        fits = f"--trainer.devices {here} --trainer.num_nodes {max(started // here, 1)}"
        raise _refused(
            f"torchrun started {started} processes, {here} on this node, but "
            f"{_expected(devices, nodes)}: add {fits}, or start "
            f"torchrun --nnodes {nodes} --nproc-per-node {devices}."
        )


def _check_job(tasks: _Tasks, devices: int, nodes: int) -> None:
    """Check the tasks of a job that Lightning sees as such: it starts no process itself."""
    if tasks.number > 1 and not tasks.by_srun:
        raise _refused(
            f"The job has {tasks.number} tasks and nothing starts them: ask for one by #SBATCH "
            "--nodes=1 --ntasks-per-node=1, or write srun lt ..."
        )
    if tasks.number > 1 and tasks.per_node is None:
        each = max(tasks.number // tasks.nodes, 1)
        raise _refused(
            f"The job asks for {tasks.number} tasks, but not how many run on each node: write "
            f"#SBATCH --nodes={tasks.nodes} --ntasks-per-node={each} instead of --ntasks."
        )
    each = tasks.number if tasks.per_node is None else tasks.per_node
    if (each, tasks.nodes) == (devices, nodes) and tasks.number == devices * nodes:
        return
    if tasks.number == devices * nodes != each * tasks.nodes:
        raise _refused(
            f"srun starts {tasks.number} of the tasks of a job with {each} on each of "
            f"{tasks.nodes} nodes: write srun --nodes={nodes} --ntasks={tasks.number} "
            f"--ntasks-per-node={devices} lt ..."
        )
    copies = ", each of which would train a run of its own" if devices * nodes == 1 else ""
    raise _refused(
        f"SLURM started {tasks.number} tasks on {tasks.nodes} nodes{copies}, but "
        f"{_expected(devices, nodes)}: add --trainer.devices {each} --trainer.num_nodes "
        f"{tasks.nodes} --trainer.strategy ddp, or write #SBATCH --nodes={nodes} "
        f"--ntasks-per-node={devices} and srun lt ..."
    )


def _check_shell(tasks: _Tasks, nodes: int) -> None:
    """Check a job in which Lightning starts the processes, as if there were no SLURM."""
    name = os.environ.get("SLURM_JOB_NAME", "")
    if tasks.by_srun and tasks.number > 1:
        raise _refused(
            f"srun started {tasks.number} tasks of a job named {name!r}, each of which would start "
            "processes of its own, for Lightning takes that name for a shell: write srun -J lt "
            "lt ..."
        )
    if nodes > 1 and "NODE_RANK" not in os.environ:
        raise _refused(
            f"trainer.num_nodes is {nodes} and nothing starts the other nodes: write #SBATCH "
            f"--nodes={nodes} --ntasks-per-node=N and srun -J lt lt ..."
        )


def _check_by_hand(nodes: int) -> None:
    """Check a start without SLURM and torchrun: others may start the nodes, as MPI and LSF do."""
    if nodes > 1 and not any(name in os.environ for name in _MEETING_PLACES):
        raise _refused(
            f"trainer.num_nodes is {nodes} and nothing starts the other nodes: start lt by srun in "
            f"a job of SLURM, or by torchrun --nnodes {nodes} ... -m lt_lightning, or set "
            "MASTER_ADDR, MASTER_PORT and NODE_RANK on each node."
        )


def _expected(devices: int, nodes: int) -> str:
    return f"trainer.devices is {devices} and trainer.num_nodes {nodes}"


def _tasks() -> _Tasks:
    step = os.environ.get("SLURM_STEP_ID")
    is_step = step is not None and int(step) < _OWN_STEPS
    # In a shell of `srun --pty` the words after the prompt are typed once, whatever else srun runs.
    by_hand = "SLURM_PTY_PORT" in os.environ and not launch.slurm_counts()
    return _Tasks(
        number=_number("SLURM_NTASKS") or 1,
        per_node=_number("SLURM_NTASKS_PER_NODE"),
        nodes=_number("SLURM_NNODES") or 1,
        by_srun=(is_step and not by_hand) or (_number("SLURM_PROCID") or 0) > 0,
    )


def _number(name: str) -> int | None:
    """Return a number of the environment; 0 is none."""
    return int(os.environ.get(name) or 0) or None


def _refused(sentence: str) -> SystemExit:
    """Return the refusal; the same is true on every process, and the first one tells it."""
    return Refused(sentence) if launch.is_first() else SystemExit(2)
