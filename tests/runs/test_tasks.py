"""Processes that were not started as the trainer expects, told by the environment alone."""

import os
import re

import pytest

from lt_lightning.errors import Refused
from lt_lightning.runs import launch, tasks

FOREIGN = ("SLURM_", "TORCHELASTIC_", "RANK", "LOCAL_", "NODE_RANK", "WORLD_SIZE", "MASTER_")
JOB = {"JOB_ID": 77, "JOB_NAME": "train", "NNODES": 1, "PROCID": 0, "LOCALID": 0, "NODEID": 0}
SHELL = 4294967290  # the step in which salloc runs its shell
NO_NUMBER_PER_NODE = {"NTASKS": 4, "STEP_ID": 0, "NNODES": 2}


@pytest.fixture
def be(monkeypatch):
    """Return a function that becomes a process of a job with those variables."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)

    def become(**variables):
        for name, value in {**JOB, **variables}.items():
            monkeypatch.setenv(f"SLURM_{name}", str(value))

    return become


@pytest.mark.parametrize(
    ("job", "trainer", "line"),
    [
        ({"NTASKS": 4, "NTASKS_PER_NODE": 4, "STEP_ID": 0}, (1, 1), "add --trainer.devices 4 "),
        ({"NTASKS": 4, "NTASKS_PER_NODE": 4, "STEP_ID": 0}, (1, 1), "would train a run of its own"),
        ({"NTASKS": 4, "NTASKS_PER_NODE": 2, "NNODES": 2, "STEP_ID": 0}, (4, 1), "num_nodes 2 "),
        ({"NTASKS": 2, "NTASKS_PER_NODE": 2, "STEP_ID": 0}, (4, 1), "--ntasks-per-node=4 and srun"),
        ({"NTASKS": 1, "NTASKS_PER_NODE": 1}, (2, 1), "--ntasks-per-node=2 and srun lt"),
        ({"NTASKS": 1, "NTASKS_PER_NODE": 4, "STEP_ID": 3}, (1, 1), "srun --nodes=1 --ntasks=1 "),
        ({"NTASKS": 2, "NTASKS_PER_NODE": 2}, (2, 1), "nothing starts them: .* write srun lt"),
        ({"NTASKS": 2, "NTASKS_PER_NODE": 1, "NNODES": 2}, (1, 2), "write srun lt"),
        ({"NTASKS": 2, "NTASKS_PER_NODE": 2, "STEP_ID": SHELL}, (2, 1), "write srun lt"),
        (NO_NUMBER_PER_NODE, (2, 2), "write #SBATCH --nodes=2 --ntasks-per-node=2 instead of"),
        ({"NTASKS": 2, "JOB_NAME": "interactive", "STEP_ID": 0}, (2, 1), "'interactive'.* -J lt "),
        ({"NTASKS": 2, "JOB_NAME": "bash", "STEP_ID": 0}, (1, 1), "'bash'.* write srun -J lt lt"),
        ({"NTASKS": 2, "JOB_NAME": "interactive", "NNODES": 2}, (1, 2), "num_nodes is 2 and noth"),
        ({}, (1, 2), "nothing starts the other nodes"),
    ],
)  # fmt: skip
def test_refused_with_the_line_to_write(be, job, trainer, line):
    """Traps: copies of a run in one folder; processes that wait for others for ever."""
    be(**job)
    with pytest.raises(Refused) as refused:
        tasks.check(*trainer)
    assert refused.value.code == 2
    assert re.search(line, refused.value.sentence)
    assert ". " not in refused.value.sentence


@pytest.mark.parametrize(
    ("job", "trainer"),
    [
        ({"NTASKS": 1, "NTASKS_PER_NODE": 1}, (1, 1)),
        ({"NTASKS": 1, "STEP_ID": 2}, (1, 1)),
        ({"NTASKS": 4, "NTASKS_PER_NODE": 2, "NNODES": 2, "STEP_ID": 0}, (2, 2)),
        ({"NTASKS": 4, "NTASKS_PER_NODE": 4, "STEP_ID": 0, "PROCID": 3}, (4, 1)),
        ({"NTASKS": 4, "JOB_NAME": "interactive"}, (4, 1)),
        ({"NTASKS": 4, "JOB_NAME": "interactive", "STEP_ID": SHELL}, (4, 1)),
        ({"NTASKS": 1, "JOB_NAME": "bash", "STEP_ID": 0}, (1, 1)),
        ({"NTASKS": 4, "JOB_NAME": "bash", "STEP_ID": 0, "PTY_PORT": 40_001}, (1, 1)),
        ({}, (8, 1)),
    ],
)
def test_what_fits_is_let_through(be, job, trainer):
    be(**job)
    tasks.check(*trainer)
    if job.get("NTASKS", 1) == 1:
        tasks.check_alone("predict")


def test_outside_of_a_job_other_nodes_need_a_place_to_meet(be, monkeypatch):
    """Trap: `--trainer.num_nodes 2` on one machine waited for half an hour without a word."""
    assert tasks.check(8, 1) == 1
    with pytest.raises(Refused) as refused:
        tasks.check(8, 4)
    assert refused.value.code == 2
    assert "nothing starts the other nodes: start lt by srun" in refused.value.sentence
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    assert tasks.check(8, 4) == 4


def test_the_first_task_alone_tells_it(be):
    be(NTASKS=4, NTASKS_PER_NODE=4, STEP_ID=0, PROCID=3)
    with pytest.raises(SystemExit) as left:
        tasks.check(1, 1)
    assert left.value.code == 2
    assert not isinstance(left.value, Refused)


def test_a_command_of_one_process_is_started_once(be):
    """Trap: every task writes the same output."""
    be(NTASKS=3, STEP_ID=0)
    with pytest.raises(Refused) as refused:
        tasks.check_alone("predict")
    assert "srun --ntasks=1 --nodes=1 lt predict" in refused.value.sentence


def test_torchrun_starts_what_the_trainer_expects(be, monkeypatch):
    be(NTASKS=2, NTASKS_PER_NODE=1, NNODES=2, STEP_ID=0)
    for name, value in (("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "2"), ("RANK", "0")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    tasks.check(2, 2)
    with pytest.raises(Refused) as refused:
        tasks.check(1, 1)
    assert "add --trainer.devices 2 --trainer.num_nodes 2, or start" in refused.value.sentence
    for other in ((1, 4), (4, 1)):  # as many, placed otherwise
        with pytest.raises(Refused) as refused:
            tasks.check(*other)
        assert "started 4 processes, 2 on this node, but trainer" in refused.value.sentence


@pytest.fixture
def elastic(be, monkeypatch):
    """Return a function that becomes one of so many processes, which torchrun may start again."""

    def become(processes, here, restarts="3"):
        for name, value in (("WORLD_SIZE", processes), ("LOCAL_WORLD_SIZE", here), ("RANK", 0)):
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job")
        monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", restarts)

    return become


def test_torchrun_may_come_with_fewer_nodes(elastic, caplog):
    """Trap: one process waits for a node that is lost, or is refused, until no restart is left."""
    elastic(4, 2)
    with caplog.at_level("WARNING"):
        assert tasks.check(2, 2) == 2
        assert not caplog.records
        assert tasks.check(2, 3) == 2
    assert caplog.messages == [
        "torchrun came with 2 of 3 nodes: 4 processes for the whole batch, data.batch_size."
    ]
    elastic(1, 1)
    assert tasks.check(1, 4) == 1


@pytest.mark.parametrize(
    ("started", "asked"),
    [((4, 2, "0"), (2, 3)), ((4, 2), (2, 1)), ((4, 2), (1, 4)), ((3, 2), (2, 2))],
    ids=["nothing is started again", "more nodes than asked for", "other nodes", "uneven nodes"],
)
def test_torchrun_that_is_a_mistake_is_refused(elastic, started, asked):
    elastic(*started)
    with pytest.raises(Refused) as refused:
        tasks.check(*asked)
    assert f"torchrun started {started[0]} processes, 2 on this node" in refused.value.sentence


@pytest.mark.parametrize("variables", [{}, {"NTASKS": 4, "JOB_NAME": "interactive"}])
def test_what_lightning_starts_in_a_job_script_is_not_the_first(be, monkeypatch, variables):
    """Trap: each of them has the task number 0 of the script, and takes the run for its own."""
    be(**variables)
    assert launch.is_first()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not launch.is_first()
    assert launch.is_child()


def test_the_first_process_is_known_by_its_number_however_it_is_written(be, monkeypatch):
    for name in ("RANK", "NODE_RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, "00")
    assert launch.is_first()
    assert not launch.is_child()
    for number in ("01", "10", "", "one"):
        monkeypatch.setenv("RANK", number)
        assert not launch.is_first()
