"""SIGUSR1 in a SLURM job: save after the step, requeue, go on."""

import os
import signal

import pytest
import torch

from lt_lightning.callbacks import LastCheckpoint
from lt_lightning.callbacks.requeue import Requeue


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Be in a SLURM job whose scontrol only takes notes; return the file of them."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    for name, value in (
        ("JOB_ID", "4242"), ("JOB_NAME", "train"), ("NTASKS", "1"), ("PROCID", "0"),
        ("LOCALID", "0"), ("NODEID", "0"), ("NNODES", "1"), ("NODELIST", "127.0.0.1"),
    ):  # fmt: skip
        monkeypatch.setenv(f"SLURM_{name}", value)
    tools = tmp_path / "bin"
    tools.mkdir()
    notes = tmp_path / "scontrol.log"
    (tools / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {notes}\n')
    (tools / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return notes


def warn_in(module, step, hook="training_step"):
    """Send the warning in the middle of a step."""
    original, sent = getattr(module, hook), []

    def warned(batch, batch_idx):
        if module.trainer.global_step == step and not sent:
            sent.append(batch_idx)
            os.kill(os.getpid(), signal.SIGUSR1)
        return original(batch, batch_idx)

    setattr(module, hook, warned)


@pytest.mark.parametrize(("step", "saved"), [(0, 1), (1, 2), (2, 3), (4, 5)])
def test_the_run_is_saved_after_the_step_and_requeued(
    make_trainer, module, data, tmp_path, job, step, saved, monkeypatch
):
    """Trap: Lightning's handler saves wherever it interrupts, also half an optimizer step."""
    seen = []
    monkeypatch.setattr(
        "lt_lightning.runs.warning._requeue",
        lambda job: seen.append(torch.load(tmp_path / "last.ckpt", weights_only=True)),
    )
    warn_in(module, step)
    make_trainer(Requeue(tmp_path)).fit(module, datamodule=data)
    assert [content["global_step"] for content in seen] == [saved]
    assert not list(tmp_path.glob("hpc_ckpt*"))


def test_scontrol_is_called_once(make_trainer, module, data, tmp_path, job):
    warn_in(module, 1)
    make_trainer(Requeue(tmp_path)).fit(module, datamodule=data)
    assert job.read_text() == "requeue 4242\n"


def test_a_task_of_an_array_is_requeued_alone(
    make_trainer, module, data, tmp_path, job, monkeypatch
):
    """Trap: the own id of the task is not what scontrol knows it by."""
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "4200")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    warn_in(module, 1)
    make_trainer(Requeue(tmp_path)).fit(module, datamodule=data)
    assert job.read_text() == "requeue 4200_7\n"


def test_the_test_after_a_warning_tests_the_final_weights(
    make_trainer, module, data, tmp_path, job
):
    """Trap: where a hpc_ckpt lies, Lightning tests its weights instead of those just trained."""
    warn_in(module, 1)
    trainer = make_trainer(LastCheckpoint(tmp_path), Requeue(tmp_path))
    trainer.fit(module, datamodule=data)
    final = module.layer.weight.detach().clone()
    trainer.test(module, datamodule=data, verbose=False)
    assert torch.equal(module.layer.weight, final)
    assert trainer.ckpt_path is None


def test_a_warning_during_the_test_only_requeues(make_trainer, module, data, tmp_path, job):
    warn_in(module, 0, "test_step")
    make_trainer(Requeue(tmp_path)).test(module, datamodule=data, verbose=False)
    assert job.read_text() == "requeue 4242\n"
    assert not (tmp_path / "last.ckpt").exists()


def test_a_job_that_cannot_be_requeued_is_trained_to_its_end(
    make_trainer, module, data, tmp_path, job, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    warn_in(module, 1)
    trainer = make_trainer(Requeue(tmp_path))
    trainer.fit(module, datamodule=data)
    assert trainer.global_step == 6
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 2


def test_the_signal_is_given_back(make_trainer, module, data, tmp_path, job):
    before = signal.getsignal(signal.SIGUSR1)
    make_trainer(Requeue(tmp_path)).fit(module, datamodule=data)
    assert signal.getsignal(signal.SIGUSR1) == before


def test_nothing_is_done_outside_of_a_job(make_trainer, module, data, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_NTASKS", raising=False)
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("took a signal"))
    callback = Requeue(tmp_path)
    callback.setup(None, module, "fit")
    callback.teardown(None, module, "fit")
