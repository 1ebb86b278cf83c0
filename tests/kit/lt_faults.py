"""`lt`, many times, from one process that has all imported; the disk may fail at one operation.

Start me under LD_PRELOAD of the library made of faults.c. Each line of my input is a command:

    {"arguments": [...], "folder": where, "at": number or -1, "code": errno, "stays": 0 or 1}

and each line of my output its answer: status (none after a minute), out, err, and the operations
on files in the folder, in order.
"""

import atexit
import ctypes
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

_FAULT = ("at", "code", "stays")
_PATIENCE = 120.0  # seconds of one command


def _child(asked, told):
    """Run the command in this process."""
    os.setsid()
    os.chdir(asked["folder"])
    tempfile.tempdir = os.path.join(asked["folder"], "tmp")  # what is written there fails too
    os.makedirs(tempfile.tempdir, exist_ok=True)
    for number, name in ((1, "out"), (2, "err"), (9, "list")):
        os.dup2(os.open(told / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    from lt_lightning.cli import main

    arm = ctypes.CDLL(None).faults_arm
    at, code, stays = (asked.get(name, -1 if name == "at" else 0) for name in _FAULT)
    arm(asked["folder"].encode(), ctypes.c_long(at), code, stays, 9)
    try:
        status = main(asked["arguments"])
    except SystemExit as end:
        status = end.code
    atexit._run_exitfuncs()
    arm(b"", ctypes.c_long(-1), 0, 0, -1)
    sys.stdout.flush()
    sys.stderr.flush()
    (told / "modules").write_text("\n".join(sys.modules))
    return status or 0


def _status_of(process):
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def _import(names):
    for name in names:
        if name not in sys.modules and name != "__mp_main__":
            with suppress(Exception):
                importlib.import_module(name)


def answer(asked):
    """Return what a command did, and import what it had imported."""
    told = Path(tempfile.mkdtemp())  # a TemporaryDirectory would be removed at the child's exit
    process = os.fork()
    if process == 0:
        status = 99
        try:
            status = _child(asked, told)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = _status_of(process)
    if (told / "modules").is_file():
        _import((told / "modules").read_text().split())
    out, err, done = ((told / name).read_text() for name in ("out", "err", "list"))
    shutil.rmtree(told)
    return {"status": status, "out": out, "err": err, "done": done.splitlines()}


if __name__ == "__main__":
    import lt_lightning.cli  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
