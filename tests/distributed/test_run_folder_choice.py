"""Which folder a run gets, whoever started its processes; and that no two runs share one."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from torch.distributed import TCPStore

from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import launch, lock

STARTERS = ("SLURM_", "TORCHELASTIC_", "LT_RUN", "RANK", "LOCAL_RANK", "NODE_RANK", "MASTER_")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Forget who started the tests; what the code under test adds is taken back as well."""
    monkeypatch.setenv("LT_RUN_FOLDER", "taken back at the end")
    for name in [name for name in os.environ if name.startswith(STARTERS)]:
        monkeypatch.delenv(name)
    yield
    lock.release()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def make_run(folder, checkpoint=True):
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").touch()
    if checkpoint:
        (folder / "checkpoints" / "last.ckpt").touch()
    return folder


def choose(runs, version=None):
    """Choose as the first process of a command does."""
    run_folder.forget_own()
    return run_folder.new_folder(runs, "ce", version)


def test_numbers_count_up(runs):
    assert [choose(runs).name for _ in range(3)] == ["0", "1", "2"]
    make_run(runs / "ce" / "4")
    assert [choose(runs).name for _ in range(2)] == ["3", "5"]


def test_runs_that_start_together_get_folders_of_their_own(runs):
    """Trap: a folder that is only made when training begins is chosen by all that start by then."""
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: run_folder._next_number(runs / "ce"), range(64)))
    assert sorted(int(folder.name) for folder in found) == list(range(64))


def test_a_version_that_holds_a_run_is_refused(runs):
    make_run(runs / "ce" / "mine")
    with pytest.raises(UserError, match=r"ce/mine exists and is never overwritten: give another"):
        choose(runs, "mine")
    assert choose(runs, "other").name == "other"


def test_an_empty_folder_is_given_back(runs):
    choose(runs)
    run_folder.give_back()
    assert not runs.exists()


def test_a_folder_that_has_only_its_start_is_given_back(runs):
    """Trap: a run that is refused after its config is written would keep the name for ever."""
    folder = choose(runs, "mine")
    (folder / "config.yaml").touch()
    (folder / run_folder.PRETRAIN / "checkpoints").mkdir(parents=True)
    (folder / run_folder.PRETRAIN / "config.yaml").touch()
    run_folder.give_back()
    assert not runs.exists()
    assert choose(runs, "mine") == folder


@pytest.mark.parametrize("kind", ["dangling link", "file", "link to itself"])
def test_runs_that_is_no_folder_is_refused(runs, kind):
    """Trap: no number is ever free there."""
    if kind == "file":
        runs.touch()
    else:
        runs.symlink_to(runs if kind == "link to itself" else runs.with_name("gone"))
    for version in (None, "mine"):
        with pytest.raises(UserError, match=r"runs/ce\S* cannot be made \(.*\): .* another --runs"):
            choose(runs, version)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_runs_that_cannot_be_written_to_is_refused(runs):
    runs.mkdir(mode=0o500)
    with pytest.raises(UserError, match="Permission denied"):
        choose(runs)


NO_NAMES = ["", ".", "..", "../x", "a/b", "/a", "a\0b", "a\nb", "\udcff", "ä" * 128]


@pytest.mark.parametrize("key", ["name", "version"])
@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_of_a_folder_is_refused(key, name):
    with pytest.raises(Refused) as refused:
        run_folder.check_names("runs", **{"name": "ce", "version": None, key: name})
    assert refused.value.sentence.startswith(f"{key} is ")
    assert refused.value.key == key


def test_a_name_is_what_a_folder_can_be_called():
    run_folder.check_names("runs", "ä b.c-1" + "x" * 240, "-1")


def test_a_folder_with_content_is_kept(runs):
    make_run(choose(runs))
    run_folder.give_back()
    assert (runs / "ce" / "0" / "config.yaml").is_file()


def test_another_process_gives_nothing_back(runs, monkeypatch):
    folder = choose(runs)
    monkeypatch.setenv("LOCAL_RANK", "1")
    run_folder.give_back()
    assert folder.is_dir()


def test_a_process_that_lightning_starts_gets_its_parents_folder(runs, monkeypatch):
    """Trap: each process that Lightning starts runs the whole command again."""
    folder = choose(runs)
    monkeypatch.setenv("LOCAL_RANK", "1")
    run_folder.forget_own()
    assert run_folder.new_folder(runs, "ce", None) == folder
    assert run_folder.new_folder(runs, "ce", folder.name) == folder
    # --ckpt_path last with nothing to go on with: the parent started anew, so must the child.
    assert run_folder.last_run(runs, "ce", None) is None
    make_run(folder)
    assert run_folder.last_run(runs, "ce", None) == folder


def test_last_is_the_newest_run_with_a_checkpoint(runs):
    for version, checkpoint, time in (("0", True, 3), ("1", True, 5), ("2", False, 9)):
        folder = make_run(runs / "ce" / version, checkpoint)
        os.utime(folder, (time, time))
    assert run_folder.last_run(runs, "ce", None).name == "1"
    run_folder.forget_own()
    assert run_folder.last_run(runs, "ce", "0").name == "0"
    run_folder.forget_own()
    assert run_folder.last_run(runs, "ce", "2") is None
    assert run_folder.last_run(runs, "bbn", None) is None


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_PROCID", "0")


def test_a_later_test_makes_no_run_the_newest(runs):
    """Trap: what `lt test` writes changes the time of the folder."""
    for version, began in (("0", 10), ("1", 20)):
        folder = runs / "a" / version
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "checkpoints" / "last.ckpt").touch()
        (folder / "config.yaml").touch()
        os.utime(folder / "config.yaml", (began, began))
    (runs / "a" / "0" / "results.json").touch()
    os.utime(runs / "a" / "1", (20, 20))
    assert run_folder.last_run(runs, "a", None) == runs / "a" / "1"
    assert run_folder.of_run(str(runs / "a"))[0] == runs / "a" / "1"


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


def test_a_task_of_an_array_is_known_by_the_array(runs, monkeypatch, job):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "70")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
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


@pytest.mark.parametrize("name", ["RANK", "NODE_RANK"])
def test_processes_started_one_by_one_need_a_version(runs, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(UserError, match="cannot agree on a run folder: give --version"):
        choose(runs)
    assert choose(runs, "mine") == runs / "ce" / "mine"
    assert not launch.is_first()
    assert not runs.exists()
