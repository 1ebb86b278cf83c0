"""A run folder is used by one command at a time, and a run that is refused leaves none."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lt_lightning.callbacks import SaveConfig
from lt_lightning.errors import UserError
from lt_lightning.runs import lock

_HOLDS = """
import sys
from pathlib import Path
from lt_lightning.runs import lock
getattr(lock, sys.argv[1])(Path(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path, take="take_folder"):
    command = [sys.executable, "-c", _HOLDS, take, path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield
        process.stdin.close()


def test_a_run_in_use_is_refused_by_all_that_would_write_into_it(lt, place, snapshot):
    copy, quick = Path(place["copy"]), place["quick"]
    before = snapshot(copy)
    with held(copy):
        answers = [
            lt(line)
            for line in (
                f"fit {quick} --data.holdout.fraction 0.1 --ckpt_path {copy}",
                f"fit {quick} --runs {copy.parents[1]} --name copy --ckpt_path last",
                f"test {copy}",
                f"calibrate {copy}",
            )
        ]
        assert {answer.status for answer in answers} == {1}
        for answer in answers:
            assert "is in use by process" in answer.err.splitlines()[-1]
    after = {file: text for file, text in snapshot(copy).items() if file.name != lock.LOCK}
    assert after == before


@pytest.mark.parametrize(
    "line", ["predict {run} --images {flat} --out {out}", "cam {run} --out {out}"]
)
def test_an_output_that_another_command_writes_is_refused(lt, place, tmp_path, line):
    out = tmp_path / "out"
    with held(out, "take_output"):
        answer = lt(line.format(run=place["run"], flat=place["flat"], out=out))
    assert answer.status == 1
    assert f"--out {out} is being written by process" in answer.err
    assert not out.exists()


@pytest.mark.parametrize(
    "name", ["../x", *(pytest.param(n, marks=pytest.mark.slow) for n in ("''", "/abs", ".."))]
)
def test_a_name_that_leads_elsewhere_is_refused(lt, place, tmp_path, name):
    answer = lt(f"fit {place['quick']} --name {name}")
    assert answer.status == 2
    assert answer.err.startswith("lt: name is ")
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_word_that_is_no_text_is_refused(lt):
    answer = lt("fit --model ERM --data.root caf\udce9")
    assert answer.status == 2
    assert r"'caf\udce9' is no text in UTF-8" in answer.err


def test_a_run_that_is_refused_in_its_set_up_leaves_nothing(lt, place, tmp_path, monkeypatch):
    save = SaveConfig.save_config

    def refuse(self, *args):
        save(self, *args)
        raise UserError("refused after the config")

    with monkeypatch.context() as patch:
        patch.setattr(SaveConfig, "save_config", refuse)
        answer = lt(f"fit {place['quick']} --version mine")
    assert answer.status == 1
    assert "refused after the config" in answer.err
    assert not (tmp_path / "runs").exists()


def test_a_run_folder_that_is_deleted_is_not_made_again(lt, place, tmp_path, monkeypatch):
    """Trap: each writer makes the folders above its file."""
    from lt_lightning.methods import ERM

    step = ERM.training_step

    def delete(self, *args):
        shutil.rmtree(tmp_path / "runs", ignore_errors=True)
        return step(self, *args)

    monkeypatch.setattr(ERM, "training_step", delete)
    answer = lt(f"fit {place['quick']} --name gone")
    assert answer.status == 1
    assert "its run folder was removed or renamed" in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()
