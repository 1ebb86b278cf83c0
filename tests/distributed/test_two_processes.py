"""Two processes (gloo): killed and resumed to the same bits, tested to the same digits."""

import os
import pty
import resource
import shutil
import signal

import lt_killed
import pytest
import yaml
from lt_runs import (
    STEPS,
    assert_same,
    assert_same_end,
    checkpoint,
    evaluations,
    finish,
    in_process,
    results,
    rows,
    run,
    start,
    tiny,
)

pytestmark = pytest.mark.distributed
KILLED = (lt_killed.__file__,)
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node", "2")
EVERY = 4


def arguments(config, *more):
    return tiny(
        config,
        *("--trainer.devices", "2", "--trainer.strategy", "ddp"),
        *("--checkpoint.every_n_steps", str(EVERY), "--name", "run", *more),
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of an uninterrupted run on two processes; made once."""
    done = {}

    def get(config):
        if config not in done:
            folder = tmp_path_factory.mktemp(config)
            answer = run(arguments(config), folder)
            assert answer.status == 0, answer.err
            assert "Warning" not in answer.err
            assert answer.out.count("Figures and all numbers") == 1
            done[config] = folder / "runs" / "run" / "0"
        return done[config]

    return get


def assert_ends_like(folder, reference):
    assert_same_end(folder, reference)
    assert [(r["epoch"], r["step"]) for r in rows(folder)] == [
        (r["epoch"], r["step"]) for r in rows(reference)
    ]
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("config", "step", "victims"),
    [
        ("bbn", 13, {}),
        ("mixup", 27, {"ONLY_RANK": "1"}),
        ("causal_tde", 13, {}),
        ("paco", 17, {}),
    ],
    ids=["both are killed", "one of them is killed", "moving feature", "queue of keys"],
)
def test_killed_and_resumed(config, step, victims, tmp_path, whole):
    """Trap: where one process is gone, the others must not wait for it for ever."""
    cut = run(arguments(config), tmp_path, KILLED, DIE_IN_STEP=str(step), **victims)
    assert cut.status != 0
    if victims:
        assert " is gone or out of reach, see what it said; " in cut.err
        assert "Traceback" not in cut.err
    folder = tmp_path / "runs" / "run" / "0"
    assert step - EVERY <= checkpoint(folder)["global_step"] <= step
    resumed = run([*arguments(config), "--ckpt_path", "last"], tmp_path)
    assert resumed.status == 0, resumed.err
    assert_ends_like(folder, whole(config))


def test_one_process_tests_like_two(tmp_path, whole, monkeypatch):
    """Trap: DistributedSampler pads the test split, so that some images count twice."""
    two, one = whole("bbn"), tmp_path / "one"
    shutil.copytree(two, one)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    single = ("--trainer.devices", "1", "--trainer.strategy", "auto")
    answer = in_process(["test", str(one), *single])
    assert answer.status == 0, answer.err
    have, want = results(one), results(two)
    assert want["hardware"]["processes"] == 2
    assert have["evaluations"]["last"]["images"] == 596
    for part in ("images", "overall", "groups", "classes", "reliability"):
        assert have["evaluations"]["last"][part] == want["evaluations"]["last"][part], part


def test_more_processes_than_test_batches(tmp_path, whole, monkeypatch):
    """Trap: a process without a batch leaves out the hooks in which the others wait for it."""
    found = []
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    for devices, strategy in (("1", "auto"), ("2", "ddp")):
        folder = tmp_path / devices
        shutil.copytree(whole("bbn"), folder)
        shares = ("--trainer.devices", devices, "--trainer.strategy", strategy)
        test = ["test", str(folder), *shares, "--data.eval_batch_size", "1000"]
        answer = in_process(test) if devices == "1" else run(test, tmp_path)
        assert answer.status == 0, answer.err
        found.append({**results(folder), "evaluations": evaluations(folder)})
    assert found[0] == found[1]


def test_torchrun_lands_in_one_folder_and_goes_on_after_a_crash(tmp_path, whole):
    """Traps: each process chooses its run folder; torchrun starts the same command again."""
    restart = (*TORCHRUN, "--standalone", "--max-restarts", "1", *KILLED)
    # Else the old processes' addresses are found in the store, and gloo calls them for ever.
    new_store = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    given = arguments("mixup", "--version", "mine")
    answer = run(given, tmp_path, restart, DIE_IN_STEP="17", **new_store)
    assert answer.status == 0, answer.err
    assert_ends_like(tmp_path / "runs" / "run" / "mine", whole("mixup"))


def test_torchrun_of_the_module(tmp_path):
    more = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
    answer = run(arguments("ce", *more), tmp_path, (*TORCHRUN, "-m", "lt_lightning"))
    assert answer.status == 0, answer.err
    assert [p.name for p in (tmp_path / "runs" / "run").iterdir()] == ["0"]
    folder = tmp_path / "runs" / "run" / "0"
    assert results(folder)["hardware"]["processes"] == 2
    assert checkpoint(folder)["global_step"] == STEPS
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert str(config["trainer"]["devices"]) == "2"


SLURM = {
    "SLURM_JOB_ID": "4242",
    "SLURM_JOB_NAME": "train",
    "SLURM_STEP_ID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_NODELIST": "127.0.0.1",
    "MASTER_ADDR": "127.0.0.1",
}


def slurm_tasks(folder, **changes):
    """Run both tasks of a job, as srun would."""
    tasks = [
        start(
            arguments("mixup"), folder, KILLED,
            **{**SLURM, "SLURM_PROCID": rank, "SLURM_LOCALID": rank, **changes},
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    return [finish(task) for task in tasks]


def test_a_slurm_job_is_warned_requeued_and_goes_on(tmp_path, whole):
    """Trap: the tasks get the signal in different steps, and must still save in the same one."""
    (tmp_path / "bin").mkdir()
    scontrol = tmp_path / "bin" / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> "$SCONTROL_LOG"\n')
    scontrol.chmod(0o755)
    log = tmp_path / "scontrol.log"
    path = {"PATH": f"{scontrol.parent}:{os.environ['PATH']}", "SCONTROL_LOG": str(log)}
    cut = slurm_tasks(tmp_path, **path, WARN_IN_STEP="21", DIE_IN_STEP="27")
    assert [answer.status for answer in cut] == [-signal.SIGKILL] * 2, cut[0].err
    assert log.read_text().split() == ["requeue", "4242"]
    folder = tmp_path / "runs" / "run" / "slurm-4242"
    assert checkpoint(folder)["global_step"] == 25  # all processes are asked every 5 steps
    assert not list(folder.glob("hpc_ckpt*"))
    again = slurm_tasks(tmp_path, **path, SLURM_RESTART_COUNT="1")
    assert [answer.status for answer in again] == [0, 0], again[0].err
    assert_ends_like(folder, whole("mixup"))


def test_a_progress_bar_on_the_first_process(tmp_path):
    """Trap: the bar asks for sums over the processes on the first one only."""
    master, slave = pty.openpty()
    more = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
    process = start(arguments("bbn", *more), tmp_path, stderr=slave)
    os.close(slave)
    shown = read_all(master)
    answer = finish(process)
    assert answer.status == 0, shown
    assert "Epoch 0" in shown
    row = rows(tmp_path / "runs" / "run" / "0")[0]
    assert row["train/loss_uniform"] == pytest.approx(row["train/loss"], rel=1e-6)  # alpha is 1
    assert row["train/loss_reversed"] != row["train/loss"]


def read_all(descriptor):
    """Read what a terminal shows until its last writer is gone."""
    parts = []
    while True:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # Linux tells the end of a terminal like this
            break
        if not part:
            break
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode(errors="replace")


def test_a_full_disk_ends_both_processes_with_one_sentence(tmp_path):
    """Trap: only the first process learns of the error, the others wait for it for ever."""

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    answer = finish(start(arguments("ce"), tmp_path, preexec_fn=small_files))
    assert answer.status == 1, answer.err
    assert "last.ckpt could not be written (File too large): free some space" in answer.err
    assert "Traceback" not in answer.err
    folder = tmp_path / "runs" / "run" / "0"
    assert not list((folder / "checkpoints").glob("*"))  # an empty folder is taken away


def test_last_without_a_run_starts_anew_on_both(tmp_path):
    """Trap: the second process sees the folder that the first one has just chosen."""
    more = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
    answer = run([*arguments("ce", *more), "--ckpt_path", "last"], tmp_path)
    assert answer.status == 0, answer.err
    assert_same(checkpoint(tmp_path / "runs" / "run" / "0")["global_step"], STEPS)
