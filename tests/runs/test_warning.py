"""SIGUSR1 in a job of SLURM: no moment of a command in which it ends it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from lt_lightning import cli
from lt_lightning.runs import launch, signals, warning

JOB = {"SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "0"}


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Be in a job whose scontrol only takes notes; return the file of them."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    notes, scontrol = tmp_path / "scontrol.log", tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> {notes}\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return notes


WARNED = """
import os, signal, sys
from lt_lightning import cli

def answer(arguments):
    os.kill(os.getpid(), signal.SIGUSR1)
    return f"torch is loaded: {'torch' in sys.modules}", 0

cli.answer = answer
sys.exit(cli.main(["fit"]))
"""


@pytest.mark.parametrize(("variables", "status"), [(JOB, 0), ({}, -signal.SIGUSR1)])
def test_the_first_line_of_the_command_takes_it(variables, status):
    """Trap: the signal ends a process that still imports torch, and the job for good."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    done = subprocess.run(
        [sys.executable, "-c", WARNED], env={**kept, **variables}, capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    assert done.stdout.strip() == ("torch is loaded: False" if status == 0 else "")


ENDED = """
import os, signal, sys
from lt_lightning import cli

sys.argv[1:] = ["--version"]
status = cli.main()
os.kill(os.getpid(), signal.SIGUSR1)
sys.exit(status)
"""


@pytest.mark.parametrize(("variables", "status"), [(JOB, 0), ({}, -signal.SIGUSR1)])
def test_a_warning_behind_the_last_line_of_the_command_ends_nothing(variables, status):
    """Trap: SLURM counts a finished run as failed, whose process is warned while it leaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    done = subprocess.run([sys.executable, "-c", ENDED], env={**kept, **variables}, check=False)
    assert done.returncode == status


def test_a_command_in_a_program_gives_it_back(job):
    before = signal.getsignal(signal.SIGUSR1)
    assert cli.main(["--version"]) == 0
    assert signal.getsignal(signal.SIGUSR1) == before


def send_itself():
    os.kill(os.getpid(), signal.SIGUSR1)
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()


@pytest.mark.parametrize("command", ["test", "predict", "report"])
def test_a_command_that_trains_nothing_is_requeued_at_once(job, command):
    with warning.taken([command, "runs/a/0"]):
        send_itself()
        send_itself()
    assert job.read_text() == "requeue 4242\n"


@pytest.mark.parametrize("command", ["fit", "auto", "sweep"])
def test_a_training_is_left_to_its_steps(job, command):
    with warning.taken([command]), warning.taken(["test"]):
        send_itself()
        assert warning.noted()
    assert not job.exists()


def test_the_signal_is_given_back(job):
    before = signal.getsignal(signal.SIGUSR1)
    with warning.taken():
        assert signal.getsignal(signal.SIGUSR1) != before
        with warning.taken():
            pass
        assert warning.is_taken()
    assert signal.getsignal(signal.SIGUSR1) == before
    assert not warning.is_taken()


def test_a_job_that_ends_unwarned_is_told_how_to_be_warned(job, monkeypatch):
    """Trap: with --signal=B: the script gets the signal, dies of it, and the training with it."""
    monkeypatch.setattr(launch, "_given", ["fit"])
    with warning.taken():
        says = signals.Stopped(signal.SIGTERM).sentence
        assert "--signal=SIGUSR1@90 --requeue, without B:" in says
        assert "SIGUSR1" not in signals.Stopped(signal.SIGINT).sentence
        send_itself()
        says = signals.Stopped(signal.SIGTERM).sentence
        assert "a larger number in #SBATCH --signal=SIGUSR1@90" in says
        assert "--requeue" not in says  # the job had it
        warning.answer()
        says = signals.Stopped(signal.SIGTERM).sentence
        assert says == "stopped by SIGTERM; its job is requeued and goes on by itself."


@pytest.mark.parametrize(
    ("restarts", "stepped", "requeued"),
    [("0", False, True), ("00", False, True), ("3", True, True), ("3", False, False)],
)
def test_a_job_that_is_ended_before_a_step_could_answer_is_requeued(
    job, monkeypatch, restarts, stepped, requeued
):
    """Trap: one that never comes to a step would be started again for ever."""
    monkeypatch.setattr(launch, "_given", ["fit"])
    monkeypatch.setenv("SLURM_RESTART_COUNT", restarts)

    def starts(arguments):
        if stepped:
            warning.stepped()
        send_itself()
        assert not job.exists()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(cli, "explained", starts)
    with warning.taken(["fit"]):
        with pytest.raises(signals.Stopped) as stop:
            cli.execute(["fit"])
        says = stop.value.sentence
    assert job.exists() == requeued
    assert ("its job is requeued" in says) == requeued
    assert "before a step could end, give it more time by a larger number in #SBATCH" in says


def test_a_job_that_was_not_warned_or_is_interrupted_is_not_requeued(job, monkeypatch):
    for number, warned in ((signal.SIGTERM, False), (signal.SIGINT, True)):

        def starts(arguments, number=number, warned=warned):
            if warned:
                send_itself()
            os.kill(os.getpid(), number)

        monkeypatch.setattr(cli, "explained", starts)
        with pytest.raises(signals.Stopped):
            cli.execute(["fit"])
    assert not job.exists()
