"""Every operation on files of a run fails, one in each run: it is told, and nothing is lost."""

import errno
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lt_runs import assert_same_end, environment, rows, tiny

KIT = Path(__file__).parents[1] / "kit"
COMMAND = tiny(
    *("ce", "--checkpoint.every_n_steps", "4", "--trainer.max_epochs", "2"),
    *("--name", "run", "--version", "a"),
)
RUN = Path("runs") / "run" / "a"

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]


class Commands:
    """`lt` on a disk that fails where it is asked to."""

    def __init__(self, folder):
        self.folder = folder
        library = folder / "faults.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", library, KIT / "faults.c", "-ldl"], check=True
        )
        given = environment(LD_PRELOAD=str(library), PYTHONPATH=str(KIT.parents[1]))
        self.process = subprocess.Popen(
            [sys.executable, KIT / "lt_faults.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=given,
        )

    def ask(self, name, *more, **fault):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        asked = {"arguments": [*COMMAND, *more], "folder": str(folder), **fault}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        with self.process:  # closes its pipes
            self.process.stdin.close()
            self.process.wait(60)


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler (cc)")
    found = Commands(tmp_path_factory.mktemp("faults"))
    yield found
    found.close()


def of(operation):
    """Return an operation without the names that are made up anew each time."""
    name = re.sub(r"\.[0-9a-f]+\.part", ".part", operation)
    return re.sub(r"/tmp/\w+", "/tmp/...", name).replace(f"/{RUN}/", "")


def fault_of(commands, name, wanted, answer):
    """Return what is wrong after a run on a disk that failed, or an empty text."""
    folder = commands.folder / name / RUN
    sentences = answer["err"].strip().splitlines()
    if answer["status"] is None:
        return "it hangs"
    if "Traceback" in answer["err"]:
        return f"a traceback: {sentences[-1]}"
    if answer["status"]:
        if not sentences or not sentences[-1].startswith("lt: "):
            return f"no sentence: {sentences[-1:]}"
        going_on = (folder / "checkpoints" / "last.ckpt").is_file()
        resumed = commands.ask(name, *(("--ckpt_path", "last") if going_on else ()))
        if resumed["status"]:
            return f"{sentences[-1]} Then: {resumed['err'].strip().splitlines()[-1]}"
    try:
        assert_same_end(folder, wanted)
        assert rows(folder) == rows(wanted)
    except (AssertionError, OSError) as error:
        return f"another end: {str(error)[:200]}"
    return ""


@pytest.mark.parametrize("stays", [0, 1], ids=["once", "from-then-on"])
def test_a_disk_that_fails_is_told_and_nothing_is_lost(commands, tables, stays):
    whole = commands.ask(f"whole-{stays}")
    assert whole["status"] == 0, whole["err"]
    wanted = commands.folder / f"whole-{stays}" / RUN
    done, found = Counter(), []
    for number in range(len(whole["done"])):
        name = f"{stays}-{number}"
        answer = commands.ask(name, at=number, code=errno.ENOSPC, stays=stays)
        # Of this run: the first one of the process does more, for what it imports.
        done_here = answer["done"]
        operation = done_here[number] if number < len(done_here) else "none was left"
        wrong = fault_of(commands, name, wanted, answer)
        outcome = "wrong" if wrong else "told" if answer["status"] else "went on"
        done[of(operation), outcome] += 1
        if wrong:
            found.append(f"{number} {operation}: {wrong}")
        else:
            shutil.rmtree(commands.folder / name)
    lines = [f"| {what} | {outcome} | {count} |" for (what, outcome), count in sorted(done.items())]
    head = ["| operation | outcome | runs |", "|---|---|---:|"]
    (tables / f"faults-{stays}.md").write_text("\n".join([*head, *lines, ""]))
    assert not found, "\n".join(found)
