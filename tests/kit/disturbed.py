"""Runs of `lt` that are killed, stopped or out of disk at random moments, and gone on with."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lt_runs import Answer, checkpoint, kill_group, start

RUN = Path("runs") / "run" / "a"
KINDS = ("KILL", "TERM", "INT", "full disk")
_STATUS = {"KILL": (-9,), "TERM": (143, -15), "INT": (130, -2), "full disk": (1,)}
_PATIENCE = 180.0  # seconds that a command may take to end
_GRACE = 15.0  # seconds that its other processes may take longer
_EARLY, _LATE = 0.15, 0.15  # of the moments are before training, and in the test behind it


@dataclass(frozen=True)
class Timed:
    """A command that came to its end by itself.

    Attributes:
        folder: of the run.
        begins: seconds until it trains.
        trained: until its last epoch has ended.
        seconds: until its end.
    """

    folder: Path
    begins: float
    trained: float
    seconds: float


@dataclass(frozen=True)
class Disturbed:
    """What became of a run.

    Attributes:
        folder: of the run.
        hits: what was done to it, and at which step of its checkpoint.
        wrong: what it did wrong, or an empty text.
    """

    folder: Path
    hits: list[str]
    wrong: str = ""


def whole(arguments, folder):
    """Run a command to its end, left alone."""
    began, process = time.monotonic(), start(arguments, folder)
    said = _Said(process)
    answer = _end(process, said)
    assert answer.status == 0, answer.err
    begins, trained = said.times["begins"] - began, said.times["trained"] - began
    return Timed(folder / RUN, begins, trained, time.monotonic() - began)


def disturb(arguments, folder, known, hits, chance):
    """Run a command, hit it at random moments, and go on with it until it has ended.

    Args:
        arguments: of `lt fit`.
        folder: empty.
        known: the same command, left alone.
        hits: what is done to it, of KINDS.
        chance: a random.Random.
    """
    done = []
    for kind in hits:
        answer, early = None, 1.0
        while answer is None:
            mark, seconds = _moment(known, chance)
            process = start(_goes_on(arguments, folder), folder)
            answer = _hit(process, kind, mark, early * seconds)
            if answer.status == 0 and not done:  # too late, and nothing was tried yet
                shutil.rmtree(folder / "runs")
                answer, early = None, early * 0.8
        if answer.status == 0:
            return Disturbed(folder / RUN, [*done, f"{kind} too late"])
        done.append(f"{kind} {_step(folder)}")
        if wrong := _wrong(answer, kind):
            return Disturbed(folder / RUN, done, wrong)
    answer = _end(start(_goes_on(arguments, folder), folder))
    wrong = "" if answer.status == 0 else f"status {answer.status}: {answer.err[-300:]}"
    return Disturbed(folder / RUN, done, wrong)


def _moment(known, chance):
    """Return behind which mark a run is hit, and how many seconds behind it.

    By marks, for how long a run takes until it trains depends on what else the machine does.
    """
    when = chance.random()
    if when < _EARLY:
        return "start", chance.uniform(0, known.begins)
    if when > 1 - _LATE:
        return "trained", chance.uniform(0, known.seconds - known.trained)
    return "begins", chance.uniform(0, known.trained - known.begins)


def _goes_on(arguments, folder):
    going_on = (folder / RUN / "checkpoints" / "last.ckpt").is_file()
    return [*arguments, *(("--ckpt_path", "last") if going_on else ())]


def _step(folder):
    with suppress(FileNotFoundError):
        return checkpoint(folder / RUN)["global_step"]
    return 0


class _Said:
    """What a process says, read as it comes, and when it started, began to train and ended to."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self.times = {"start": time.monotonic()}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "training images" in line:
                self.times["begins"] = time.monotonic()
            epochs = re.match(r"lt: epoch (\d+)/(\d+)", line)
            if epochs and epochs[1] == epochs[2]:
                self.times["trained"] = time.monotonic()

    def wait(self, mark, seconds):
        """Wait for so many seconds behind a mark, or until the process has ended."""
        while self.process.poll() is None:
            if mark in self.times and time.monotonic() >= self.times[mark] + seconds:
                return
            time.sleep(0.01)

    def text(self):
        self._reader.join(10)
        return "".join(self.lines)


def _hit(process, kind, mark, seconds):
    said = _Said(process)
    said.wait(mark, seconds)
    if process.poll() is None:
        if kind == "full disk":
            for member in group_of(process.pid):
                with suppress(ProcessLookupError):
                    resource.prlimit(member, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        elif kind == "KILL":
            kill_group(process)
        else:
            os.kill(process.pid, getattr(signal, f"SIG{kind}"))
    return _end(process, said)


def _end(process, said=None):
    """Wait for the end of a process, and of those that it started."""
    said, status = said or _Said(process), None
    with suppress(subprocess.TimeoutExpired):
        status = process.wait(_PATIENCE)
    end = time.monotonic() + _GRACE
    while (left := [one for one in group_of(process.pid) if one != process.pid]) and (
        time.monotonic() < end
    ):
        time.sleep(0.1)
    kill_group(process)
    answer = Answer(status, "left alive" if left and status is not None else "", said.text())
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    return answer


def group_of(leader):
    """Return the processes of a group that are alive."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _wrong(answer, kind):
    """Return what is wrong about the end of a command that was hit, or an empty text."""
    if answer.status is None:
        return f"{kind}: it hangs; it said {answer.err[-300:]!r}"
    if kind != "KILL" and answer.out:
        return f"{kind}: a process of it is {answer.out}"
    if answer.status not in _STATUS[kind]:
        return f"{kind}: status {answer.status}; it said {answer.err[-300:]!r}"
    # Where one process alone could not write, the others say that it is gone.
    silent = ("lt (process",) if kind != "full disk" else ()
    for text in ("Traceback", "terminate called", "gloo", *silent):
        if kind != "KILL" and answer.status > 0 and text in answer.err:
            return f"{kind}: it said {answer.err[-600:]!r}"
    if answer.err.count("could not be written") > 1:
        return f"{kind}: told twice, {answer.err[-600:]!r}"
    return ""


def clear(folder):
    """Remove a run that was as it should be."""
    shutil.rmtree(folder)


def chances(seed, number):
    """Return the random choices of one run, which do not depend on those of others."""
    return random.Random(f"{seed} {number}")
