"""A run that fails says why, keeps what it had, and can go on."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lt_runs import run

_LINE = "fit {quick} --name full --trainer.limit_test_batches 1"


def _fill_disk(patch, first: int) -> None:
    """Let the disk be full from the checkpoint number `first` on."""
    from lightning.fabric.plugins.io import torch_io

    write, calls = torch_io._atomic_save, []

    def full(checkpoint: dict, path: str) -> None:
        calls.append(path)
        if len(calls) >= first:
            Path(path).write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(checkpoint, path)

    patch.setattr(torch_io, "_atomic_save", full)


def test_a_full_disk_keeps_the_checkpoint_before_and_the_run_goes_on(lt, place, tmp_path):
    line = _LINE.format_map(place) + " --trainer.max_epochs 2"
    folder = tmp_path / "runs" / "full" / "0" / "checkpoints"
    with pytest.MonkeyPatch.context() as patch:
        _fill_disk(patch, first=2)
        answer = lt(line)

    said = answer.err.splitlines()[-1]
    assert answer.status == 1
    assert said.startswith("lt: ")
    for word in ("last.ckpt", "No space left", "--ckpt_path last", "the one before it is kept"):
        assert word in said
    assert [file.name for file in folder.iterdir()] == ["last.ckpt"]
    assert torch.load(folder / "last.ckpt", weights_only=True)["epoch"] == 0

    more = lt(f"{line} --ckpt_path last")

    assert more.status == 0, more.err
    assert torch.load(folder / "last.ckpt", weights_only=True)["epoch"] == 1


def test_a_disk_that_is_full_from_the_start_is_told_too(lt, place, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/full/0/config.yaml")

    monkeypatch.setattr("lt_lightning.callbacks.save_config.SaveConfig.save_config", full)

    answer = lt(_LINE.format_map(place))

    assert answer.status == 1
    assert "the disk is full (runs/full/0/config.yaml)" in answer.err.splitlines()[-1]


def test_a_loss_that_is_no_number_keeps_the_checkpoint_before(lt, place, tmp_path, monkeypatch):
    from lt_lightning.losses import CrossEntropy

    values = CrossEntropy.per_sample
    calls = []

    def fail_in_the_second_epoch(self, *args, **kwargs):
        calls.append(1)
        return values(self, *args, **kwargs) * (float("nan") if len(calls) > 3 else 1)

    monkeypatch.setattr(CrossEntropy, "per_sample", fail_in_the_second_epoch)

    answer = lt(_LINE.format_map(place) + " --trainer.max_epochs 3")

    assert answer.status == 1
    assert "loss was NaN or infinite in epoch 1, step 1" in answer.err.splitlines()[-1]
    last = tmp_path / "runs" / "full" / "0" / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    assert content["epoch"] == 0
    assert all(bool(v.isfinite().all()) for v in content["state_dict"].values())


def test_a_batch_that_the_processes_cannot_share_is_refused(lt, place, monkeypatch):
    monkeypatch.setattr("lt_lightning.data.streams.Streams.processes", lambda _: (0, 3))

    answer = lt(_LINE.format_map(place))

    assert answer.status == 1
    assert "data.batch_size 64 cannot be divided by 3 processes" in answer.err.splitlines()[-1]


def test_a_further_process_says_which_one_it_is(lt, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")

    answer = lt("fit --model LDMA")

    assert answer.err.startswith("lt (process 1): model is 'LDMA'")


def test_a_bug_of_ours_keeps_its_traceback(lt, place, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lt_lightning.methods.ERM.training_step", fail)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        lt(_LINE.format_map(place))


@pytest.mark.parametrize(
    "place_of", ["methods.ERM.training_step", "callbacks.EpochLines.state_dict"]
)
def test_so_it_does_where_a_class_that_was_named_has_called_it(lt, place, monkeypatch, place_of):
    """The optimizer calls the training step, the callback saves what our callbacks hold."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(f"lt_lightning.{place_of}", fail)
    named = "--model.optimizer SGD --trainer.callbacks ModelCheckpoint"

    with pytest.raises(ZeroDivisionError, match="a bug"):
        lt(f"{_LINE.format_map(place)} {named} --trainer.callbacks.dirpath here")


def test_a_bug_below_the_step_is_none_of_the_optimizer(lt, place, monkeypatch):
    """Trap: the optimizer calls the loop, and that calls nothing of ours on the way back."""

    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, values: torch.Tensor) -> torch.Tensor:
            return values.clone()

        @staticmethod
        def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
            return gradient[:1, None]

    from lt_lightning.losses import CrossEntropy

    values = CrossEntropy.per_sample
    monkeypatch.setattr(CrossEntropy, "per_sample", lambda *a, **k: Bad.apply(values(*a, **k)))

    with pytest.raises(RuntimeError, match="invalid gradient"):
        lt(f"{_LINE.format_map(place)} --model.optimizer SGD --trainer.strategy single_device")


@pytest.mark.parametrize(
    ("step", "way_on"), [(0, "start it again."), (4, "`--ckpt_path last` goes on")]
)
def test_an_interrupt_is_no_error(lt, place, monkeypatch, step, way_on):
    """Trap: before the first checkpoint there is nothing to go on from."""
    from lt_lightning.methods import ERM

    train, calls = ERM.training_step, []

    def interrupt(self: ERM, *args: object) -> object:
        calls.append(1)
        if len(calls) > step:
            raise KeyboardInterrupt
        return train(self, *args)

    monkeypatch.setattr(ERM, "training_step", interrupt)

    answer = lt(_LINE.format_map(place) + " --trainer.max_epochs 3")

    assert answer.status == 130
    assert way_on in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err


_SCRIPT = [
    ("fti", 2, "did you mean 'lt fit'"),
    ("fit --config nowhere.yaml", 2, "nowhere.yaml does not exist"),
    ("test nowhere", 1, "There is no run nowhere"),
    pytest.param("fit --model LDMA", 2, "'LDMA'", marks=pytest.mark.slow),
    pytest.param(
        "fit --model ERM --data.batch_size 0", 1, "batch_size is 0", marks=pytest.mark.slow
    ),
]


@pytest.mark.parametrize(("words", "status", "says"), _SCRIPT)
def test_the_console_script_says_the_same(words, status, says, tmp_path):
    """In a process of its own, where nothing of this one can help or hide."""
    script = Path(sys.executable).with_name("lt")
    answer = subprocess.run(
        [script, *words.split()], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert answer.returncode == status
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("lt: ")
    assert says in answer.stderr
    assert answer.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nothing_is_said_of_an_object_that_cannot_end(place, tmp_path):
    """Trap: a profiler that has failed does so again as Python throws it away."""
    profiler = "{class_path: PyTorchProfiler, dict_kwargs: {on_trace_ready: text}}"
    words = [*_LINE.format_map(place).split(), f"--trainer.profiler={profiler}"]
    answer = run(words, tmp_path)

    assert answer.status == 1
    assert "Traceback" not in answer.err
    assert "Exception ignored" not in answer.err
    last = [line for line in answer.err.splitlines() if line.startswith("lt: ")][-1]
    assert "on_trace_ready='text'" in last
    assert "which failed (TypeError: 'str' object is not callable)" in last


@pytest.mark.slow
def test_control_c_ends_a_run_with_one_sentence(place, tmp_path):
    line = _LINE.format_map(place).replace("max_epochs 1", "max_epochs 9999")
    process = subprocess.Popen(
        [sys.executable, "-m", "lt_lightning", *line.split()],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for said in process.stderr:
        if "epoch 2/" in said:
            break
    os.kill(process.pid, signal.SIGINT)

    last = process.communicate()[1].splitlines()[-1]
    assert process.returncode == 130
    assert last.startswith("lt: interrupted")
    assert (tmp_path / "runs/full/0/checkpoints/last.ckpt").is_file()
