"""Runs of `lt` that are killed, stopped or out of disk at random moments, and gone on with."""

import os
import random
import resource
import shutil
import signal
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
_EARLY = 0.2  # of the moments are before training


@dataclass(frozen=True)
class Timed:
    """A command that came to its end by itself.

    Attributes:
        folder: of the run.
        begins: seconds until it trains.
        seconds: until its end.
    """

    folder: Path
    begins: float
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
    began = time.monotonic()
    process = start(arguments, folder)
    said = []
    begins = _read(process, said, until="training images")
    status = process.wait(_PATIENCE * 3)
    assert status == 0, "".join(said)
    return Timed(folder / RUN, begins - began, time.monotonic() - began)


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
        moment = _moment(known, chance)
        answer = _hit(start(_goes_on(arguments, folder), folder), kind, moment)
        done.append(f"{kind} {_step(folder)}")
        if answer.status == 0:
            return Disturbed(folder / RUN, [*done[:-1], f"{kind} too late"])
        if wrong := _wrong(answer, kind):
            return Disturbed(folder / RUN, done, wrong)
    process = start(_goes_on(arguments, folder), folder)
    answer = _end(process, [])
    wrong = "" if answer.status == 0 else f"status {answer.status}: {answer.err[-300:]}"
    return Disturbed(folder / RUN, done, wrong)


def _moment(known, chance):
    if chance.random() < _EARLY:
        return chance.uniform(0, known.begins)
    return chance.uniform(known.begins, known.seconds)


def _goes_on(arguments, folder):
    going_on = (folder / RUN / "checkpoints" / "last.ckpt").is_file()
    return [*arguments, *(("--ckpt_path", "last") if going_on else ())]


def _step(folder):
    with suppress(FileNotFoundError):
        return checkpoint(folder / RUN)["global_step"]
    return 0


def _hit(process, kind, moment):
    said = []
    reader = threading.Thread(target=_read, args=(process, said), daemon=True)
    reader.start()
    with suppress(Exception):
        process.wait(moment)
    if process.poll() is None:
        if kind == "full disk":
            for member in _group(process.pid):
                with suppress(ProcessLookupError):
                    resource.prlimit(member, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        elif kind == "KILL":
            kill_group(process)
        else:
            os.kill(process.pid, getattr(signal, f"SIG{kind}"))
    return _end(process, said, reader)


def _end(process, said, reader=None):
    if reader is None:
        reader = threading.Thread(target=_read, args=(process, said), daemon=True)
        reader.start()
    status = None
    with suppress(Exception):
        status = process.wait(_PATIENCE)
    left = [member for member in _group(process.pid) if member != process.pid]
    end = time.monotonic() + 15
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = _group(process.pid)
    kill_group(process)
    reader.join(10)
    text = "".join(said)
    return Answer(status, "left alive" if left and status is not None else "", text)


def _read(process, said, until=None):
    for line in process.stderr:
        said.append(line)
        if until and until in line:
            moment = time.monotonic()
            threading.Thread(target=_read, args=(process, said), daemon=True).start()
            return moment
    return time.monotonic()


def _group(leader):
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
    for text in ("Traceback", "terminate called", "gloo", "lt (process"):
        if kind != "KILL" and answer.status > 0 and text in answer.err:
            return f"{kind}: it said {answer.err[-600:]!r}"
    return ""


def clear(folder):
    """Remove a run that was as it should be."""
    shutil.rmtree(folder)


def chances(seed, number):
    """Return the random choices of one run, which do not depend on those of others."""
    return random.Random(f"{seed} {number}")
