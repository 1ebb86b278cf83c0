"""`lt fit` in a job of SLURM: what was started wrongly leaves nothing, what is warned goes on."""

import os
import signal

import pytest
import torch

from lt_lightning.cli import where

JOB = {"JOB_ID": 77, "JOB_NAME": "train", "NNODES": 1, "PROCID": 0, "LOCALID": 0, "NODEID": 0}
FOUR = {"NTASKS": 4, "NTASKS_PER_NODE": 4}


@pytest.fixture
def be(monkeypatch, tmp_path):
    """Return a function that becomes a process of a job; scontrol takes notes in its folder."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)

    def become(**variables):
        for name, value in {**JOB, **variables}.items():
            monkeypatch.setenv(f"SLURM_{name}", str(value))

    (tmp_path / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/scontrol.log\n')
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return become


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({**FOUR, "STEP_ID": 0}, "add --trainer.devices 4"),
        ({**FOUR, "STEP_ID": 0, "PROCID": 3, "LOCALID": 3}, None),
        (FOUR, "write srun lt"),
        ({"NTASKS": 4, "STEP_ID": 0}, "write #SBATCH --nodes=1 --ntasks-per-node=4"),
        ({"NTASKS": 4, "STEP_ID": 0, "JOB_NAME": "interactive"}, "write srun -J lt"),
    ],
    ids=["devices 1", "another task of these", "no srun", "no number per node", "interactive"],
)
def test_what_was_started_wrongly_leaves_nothing(lt, be, place, tmp_path, variables, line):
    """Traps: four copies in one folder, exit 0; or a hang."""
    be(**variables)
    answer = lt(f"fit {place['quick']}")
    assert answer.status == 2
    if line is None:
        assert not answer.err
    else:
        assert line in answer.err
        assert answer.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_several_tasks_of_a_single_command_are_one_too_many(lt, be, tmp_path):
    be(NTASKS=2, STEP_ID=0)
    answer = lt("predict runs/a/0 --images pictures --out answers.csv")
    assert answer.status == 2
    assert "srun --ntasks=1 --nodes=1 lt predict" in answer.err


def test_a_warning_during_the_start_is_answered_at_the_first_step(
    lt, be, place, tmp_path, monkeypatch
):
    """Trap: it ends a process that does not train yet, and nobody starts the job again."""
    be(NTASKS=1, NTASKS_PER_NODE=1, STEP_ID=0)
    choose = where.choose

    def warned(*args):
        os.kill(os.getpid(), signal.SIGUSR1)
        return choose(*args)

    monkeypatch.setattr(where, "choose", warned)
    saved = []
    monkeypatch.setattr(
        "lt_lightning.callbacks.requeue.save_whole",
        lambda trainer, path: saved.append(trainer.global_step),
    )
    answer = lt(f"fit {place['quick']} --name warned")
    assert answer.status == 0, answer.err
    assert (tmp_path / "scontrol.log").read_text() == "requeue 77\n"
    assert saved == [1]
    folder = tmp_path / "runs" / "warned" / "slurm-77"
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 2
