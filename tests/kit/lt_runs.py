"""Tiny runs of `lt` on the digits, in this process or as processes of their own."""

import contextlib
import csv
import io
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

CONFIGS = Path(__file__).parents[2] / "configs"
STEPS = 10  # of an epoch
_LOGGERS = ("lt_lightning", "lightning.pytorch", "lightning.fabric")
# What another launcher, job or account left behind must not decide a test.
_FOREIGN = ("SLURM_", "WANDB_", "TORCHELASTIC_", "PL_", "LT_")
_FOREIGN_NAMES = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def tiny(config="ce", *more):
    """Return the arguments of a run of 3 epochs with 10 steps each, a second or so in all."""
    return [
        *("fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml")),
        *("--trainer.accelerator", "cpu", "--trainer.max_epochs", "3"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.batch_size", "32"),
        *("--data.augment", "RandomCropFlip", "--data.augment.padding", "1"),
        *("--data.drop_last", "true", "--model.lr_schedule.warmup_epochs", "1"),
        *more,
    ]


def environment(**changes):
    """Return the environment of a user who has neither a job nor an account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name not in _FOREIGN_NAMES
    }
    one_thread = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "MPLBACKEND": "agg"}
    return {**kept, **one_thread, "PYTHONUNBUFFERED": "1", **changes}


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str


@contextlib.contextmanager
def put_back(**changes):
    """Put environment and loggers back afterwards; within, they are those of a new process."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(log, log.level, log.propagate, log.handlers[:]) for log in loggers]
    own = dict(os.environ)
    loggers[0].handlers.clear()  # the handler of an earlier call writes into its own stream
    os.environ.clear()
    os.environ.update(environment(**changes))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(own)
        for log, level, propagate, handlers in before:
            log.setLevel(level)
            log.propagate, log.handlers[:] = propagate, handlers


def in_process(arguments, **changes):
    """Run `lt` in this process, in an environment that is put back afterwards."""
    from lt_lightning.cli import main

    out, err = io.StringIO(), io.StringIO()
    with put_back(**changes), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(arguments))
    return Answer(status, out.getvalue(), err.getvalue())


def start(
    arguments,
    folder,
    program=("-m", "lt_lightning"),
    *,
    stdin=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    preexec_fn=None,
    **changes,
):
    """Start `lt` in `folder` as a process of its own, at the head of a process group."""
    return subprocess.Popen(
        [sys.executable, *map(str, program), *map(str, arguments)],
        cwd=folder,
        env=environment(**changes),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        preexec_fn=preexec_fn,
        text=True,
        start_new_session=True,
    )


def finish(process, timeout=500):
    """Wait for the end of a process; nothing of its group is left behind."""
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        kill_group(process)
        process.communicate()
        raise
    kill_group(process)
    return Answer(process.returncode, out, err)


def kill_group(process):
    """Send SIGKILL to a process and to all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(arguments, folder, *program, **changes):
    """Run `lt` in `folder` to its end."""
    return finish(start(arguments, folder, *program, **changes))


def checkpoint(folder, name="last"):
    """Return the content of a checkpoint, read safely."""
    return torch.load(Path(folder) / "checkpoints" / f"{name}.ckpt", weights_only=True)


def assert_same(first, second, where=""):
    """Stop at the first difference between two trees of plain values and tensors."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert list(first) == list(second), where
        for key, value in first.items():
            assert_same(value, second[key], f"{where}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for place, value in enumerate(first):
            assert_same(value, second[place], f"{where}/{place}")
    else:
        assert first == second, where


def assert_same_end(first, second):
    """Stop unless two runs ended with the same bits: weights, optimizer, schedule, test."""
    a, b = checkpoint(first), checkpoint(second)
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "global_step"):
        assert_same(a[part], b[part], part)
    assert evaluations(first) == evaluations(second)


def evaluations(folder):
    """Return what was measured: without the command, and when and where it was called."""
    about = ("command", "time", "hardware", "versions")
    return {
        name: {key: value for key, value in found.items() if key not in about}
        for name, found in results(folder)["evaluations"].items()
    }


def results(folder):
    """Return the content of results.json."""
    return json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))


def rows(folder):
    """Return the rows of metrics.csv, without the empty cells."""
    with (Path(folder) / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(stream)]
