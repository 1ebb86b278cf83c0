"""Which folder a run gets in a job of SLURM or torchrun, all of whose processes must agree."""

import os
import socket

import pytest
from run_folders import choose, make_run
from torch.distributed import TCPStore

from lt_lightning.errors import UserError
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import launch, lock

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_PROCID", "0")


def test_a_slurm_job_has_one_folder_for_all_tasks(runs, monkeypatch, job):
    """Trap: each task of a job chooses for itself, and one may have written already."""
    folder = choose(runs)
    assert folder == runs / "ce" / "slurm-77"
    make_run(folder)
    monkeypatch.setenv("SLURM_PROCID", "1")
    assert choose(runs) == folder


def test_a_second_run_of_that_name_in_a_job_is_refused(runs, job):
    make_run(choose(runs))
    with pytest.raises(UserError, match="slurm-77 exists and is never overwritten"):
        choose(runs)


def test_a_requeued_job_goes_on_unasked(runs, monkeypatch, job):
    """Trap: SLURM starts the same command again, which knows of no checkpoint."""
    folder = make_run(choose(runs))
    run_folder.forget_own()
    assert run_folder.started_again(runs, "ce", None) is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert run_folder.started_again(runs, "ce", None) == folder
    run_folder.forget_own()
    assert run_folder.started_again(runs, "bbn", None) is None


def test_a_job_requeued_before_its_first_checkpoint_begins_in_its_folder(runs, monkeypatch, job):
    folder = make_run(choose(runs), checkpoint=False)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    run_folder.forget_own()
    assert run_folder.started_again(runs, "ce", None) is None
    assert choose(runs) == folder


@pytest.fixture
def seeds(monkeypatch):
    """Return a function that becomes the command with that seed."""

    def become(seed, *more):
        monkeypatch.setattr(launch, "_given", ["fit", f"--seed_everything={seed}", *more])

    return become


def test_two_commands_of_a_job_stay_two_runs(runs, monkeypatch, job, seeds):
    """Trap: the second is refused, or goes on with the run of the first when it is requeued."""
    own = {}
    for seed in (0, 1, 2):
        seeds(seed)
        own[seed] = make_run(choose(runs))
        lock.release()
        monkeypatch.setenv("SLURM_PROCID", "1")
        assert choose(runs) == own[seed], "its other tasks come to the same"
        monkeypatch.setenv("SLURM_PROCID", "0")
    assert len(set(own.values())) == 3
    assert own[0].name == "slurm-77"
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    for seed in (2, 0, 1):
        seeds(seed)
        run_folder.forget_own()
        assert run_folder.started_again(runs, "ce", None) == own[seed]
        seeds(seed, "--ckpt_path", "last")
        run_folder.forget_own()
        assert run_folder.last_run(runs, "ce", None) == own[seed]
    seeds(3)
    run_folder.forget_own()
    assert run_folder.started_again(runs, "ce", None) is None
    assert choose(runs) not in own.values()


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_version_of_another_command_is_not_gone_on_with(
    runs, monkeypatch, job, seeds, checkpoint
):
    seeds(0)
    make_run(choose(runs, "mine"), checkpoint)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    seeds(1)
    run_folder.forget_own()
    with pytest.raises(UserError, match=r"ce/mine is of another command \(see command.json"):
        run_folder.started_again(runs, "ce", "mine")
    with pytest.raises(UserError, match="is of another command"):
        choose(runs, "mine")


def test_a_task_of_an_array_is_known_by_array_task_and_seed(runs, monkeypatch, job, seeds):
    """Trap: the last task of an array has the number of the array as its own."""
    monkeypatch.setenv("SLURM_JOB_ID", "70")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "70")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    seeds(5)
    own = make_run(choose(runs))
    assert own.name == "slurm-70_3-seed-5"
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    run_folder.forget_own()
    assert run_folder.started_again(runs, "ce", None) == own
    run_folder.forget_own()
    assert run_folder.last_run(runs, "ce", None) == own
    monkeypatch.setattr(launch, "_given", ["fit"])
    run_folder.forget_own()
    assert choose(runs).name == "slurm-70_3"


def test_last_in_a_job_is_first_of_all_its_own_run(runs, job):
    own = make_run(choose(runs))
    os.utime(own, (1, 1))
    other = make_run(runs / "ce" / "slurm-99")
    run_folder.forget_own()
    assert run_folder.last_run(runs, "ce", None) == own
    (own / "checkpoints" / "last.ckpt").unlink()
    run_folder.forget_own()
    assert run_folder.last_run(runs, "ce", None) == other


@pytest.mark.parametrize("name", ["bash", "interactive"])
def test_an_interactive_job_numbers_its_runs(runs, monkeypatch, job, name):
    monkeypatch.setenv("SLURM_JOB_NAME", name)
    assert [choose(runs).name for _ in range(2)] == ["0", "1"]


@pytest.fixture
def torchrun(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(port))
    monkeypatch.setenv("RANK", "0")
    return TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False)


def as_other(monkeypatch, restarts=0):
    """Become another process of the same torchrun."""
    monkeypatch.delenv("LT_RUN_FOLDER", raising=False)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(restarts))


def test_the_processes_of_torchrun_agree(runs, monkeypatch, torchrun):
    """Trap: torchrun starts all processes at once, and each one finds the next number free."""
    folder = run_folder.new_folder(runs, "ce", None)
    as_other(monkeypatch)
    assert run_folder.new_folder(runs, "ce", None) == folder
    assert not (runs / "ce" / "1").exists()


def test_the_processes_of_torchrun_agree_on_the_last_run(runs, monkeypatch, torchrun):
    assert run_folder.last_run(runs, "ce", None) is None
    make_run(runs / "ce" / "0")  # by another run, a moment later
    as_other(monkeypatch)
    assert run_folder.last_run(runs, "ce", None) is None


def test_processes_that_torchrun_starts_again_go_on_with_their_version(runs, monkeypatch, torchrun):
    folder = make_run(run_folder.new_folder(runs, "ce", "mine"))
    for become in (lambda: monkeypatch.setenv("RANK", "0"), lambda: as_other(monkeypatch, 1)):
        monkeypatch.delenv("LT_RUN_FOLDER", raising=False)
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
        become()
        assert run_folder.started_again(runs, "ce", "mine") == folder
        monkeypatch.delenv("LT_RUN_FOLDER")
        assert run_folder.started_again(runs, "ce", None) is None


def test_a_node_that_comes_is_no_restart_and_still_goes_on(runs, monkeypatch, torchrun, seeds):
    """Trap: torchrun starts all anew and counts nothing, where no process has failed."""
    seeds(0)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job")
    assert run_folder.started_again(runs, "ce", "mine") is None
    folder = make_run(choose(runs, "mine"))
    lock.release()
    again = Started(monkeypatch)
    again()
    assert run_folder.started_again(runs, "ce", "mine") == folder
    again(TORCHELASTIC_RUN_ID="another job")
    assert run_folder.started_again(runs, "ce", "mine") is None
    with pytest.raises(UserError, match="mine exists and is never overwritten"):
        choose(runs, "mine")
    again(TORCHELASTIC_RUN_ID="job")
    seeds(1)
    assert run_folder.started_again(runs, "ce", "mine") is None
    with pytest.raises(UserError, match="mine exists and is never overwritten"):
        choose(runs, "mine")


def test_before_its_first_checkpoint_it_begins_in_its_folder(runs, monkeypatch, torchrun, seeds):
    seeds(0)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job")
    folder = make_run(choose(runs, "mine"), checkpoint=False)
    lock.release()
    again = Started(monkeypatch)
    again()
    assert run_folder.started_again(runs, "ce", "mine") is None
    assert choose(runs, "mine") == folder


def test_without_a_version_a_restart_finds_its_run_by_the_id(runs, monkeypatch, torchrun, seeds):
    seeds(0)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job")
    folder = make_run(choose(runs))
    lock.release()
    again = Started(monkeypatch)
    again()
    assert run_folder.started_again(runs, "ce", None) is None, "the same command, typed again"
    again(TORCHELASTIC_RESTART_COUNT="1")
    assert run_folder.started_again(runs, "ce", None) == folder
    again(TORCHELASTIC_RESTART_COUNT="1", RANK="1")
    assert run_folder.started_again(runs, "ce", None) == folder
    again(RANK="0", TORCHELASTIC_RUN_ID="another job", TORCHELASTIC_RESTART_COUNT="2")
    assert run_folder.started_again(runs, "ce", None) is None
    again(TORCHELASTIC_RUN_ID="job", TORCHELASTIC_RESTART_COUNT="3")
    seeds(1)
    assert run_folder.started_again(runs, "ce", None) is None


class Started:
    """All processes again, which meet at a new store unless a restart is counted."""

    def __init__(self, monkeypatch):
        self.patch, self.stores = monkeypatch, []

    def __call__(self, **variables):
        for name, value in variables.items():
            self.patch.setenv(name, value)
        self.patch.delenv("LT_RUN_FOLDER", raising=False)
        if "TORCHELASTIC_RESTART_COUNT" not in variables:
            store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
            self.stores.append(store)
            self.patch.setenv("MASTER_PORT", str(store.port))


@pytest.mark.parametrize("name", ["RANK", "NODE_RANK"])
def test_processes_started_one_by_one_need_a_version(runs, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(UserError, match="cannot agree on a run folder: give --version"):
        choose(runs)
    assert choose(runs, "mine") == runs / "ce" / "mine"
    assert not launch.is_first()
    assert not runs.exists()


def test_processes_of_torchrun_without_its_store_need_a_version(runs, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job")
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "False")
    with pytest.raises(UserError, match="torchrun have no store"):
        choose(runs)
    assert choose(runs, "mine") == runs / "ce" / "mine"
