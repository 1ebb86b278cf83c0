"""Which folder a run gets, whoever started its processes; and that no two runs share one."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from run_folders import choose, make_run

from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import leftovers

pytestmark = pytest.mark.usefixtures("fresh")


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
    leftovers.give_back()
    assert not runs.exists()


def test_a_folder_that_has_only_its_start_is_given_back(runs):
    """Trap: a run that is refused after its config is written would keep the name for ever."""
    folder = choose(runs, "mine")
    (folder / "config.yaml").touch()
    (folder / run_folder.PRETRAIN / "checkpoints").mkdir(parents=True)
    (folder / run_folder.PRETRAIN / "config.yaml").touch()
    leftovers.give_back()
    assert not runs.exists()
    assert choose(runs, "mine") == folder


HEAD = "epoch,step,train/loss\n"


def test_a_run_that_was_killed_before_its_first_checkpoint_gives_its_name(runs):
    """Trap: it cannot be gone on with, so that its name was taken by nothing for ever."""
    folder = runs / "ce" / "mine"
    folder.mkdir(parents=True)
    for name in ("config.yaml", "command.json", ".config.yaml.1a2b.part", ".lock"):
        (folder / name).touch()
    (folder / "metrics.csv").write_text(HEAD + "0,9,1.5\n")
    assert choose(runs, "mine") == folder
    assert {file.name for file in folder.iterdir()} == {"command.json", ".lock"}


@pytest.mark.parametrize(
    ("file", "content", "goes_on"),
    [
        ("metrics.csv", HEAD + "0,9,1.5\n1,19,1.2\n", False),
        ("metrics.csv", "notes", False),
        ("notes.txt", "mine", False),
        ("config.yaml", "written by hand", False),
        ("results.json", "{}", False),
        ("checkpoints/last.ckpt", "", True),
    ],
)
def test_a_folder_with_anything_of_worth_stays(runs, file, content, goes_on):
    """Trap: where there is no checkpoint, to go on is no way out."""
    folder = runs / "ce" / "mine"
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text(content)
    with pytest.raises(UserError, match="mine exists and is never overwritten") as refused:
        choose(runs, "mine")
    assert ("--ckpt_path last" in str(refused.value)) == goes_on
    assert (folder / file).read_text() == content


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
    leftovers.give_back()
    assert (runs / "ce" / "0" / "config.yaml").is_file()


def test_another_process_gives_nothing_back(runs, monkeypatch):
    folder = choose(runs)
    monkeypatch.setenv("LOCAL_RANK", "1")
    leftovers.give_back()
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
