"""SIGTERM and Ctrl-C: noted, answered between two steps, and at once the second time."""

import os
import signal
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.trainer.connectors.signal_connector import _SignalConnector

from lt_lightning.callbacks import LastCheckpoint
from lt_lightning.callbacks.stop import StopBetweenSteps
from lt_lightning.runs import signals


@pytest.fixture(autouse=True)
def _taken():
    with signals.taken():
        yield


def send_in(module, step, *numbers, hook="training_step"):
    """Send signals in the middle of a step, and return the steps that came to their end."""
    original, ended = getattr(module, hook), []

    def hit(batch, batch_idx):
        if module.trainer.global_step == step and not ended[step:]:
            for number in numbers:
                os.kill(os.getpid(), number)
        found = original(batch, batch_idx)
        ended.append(batch_idx)
        return found

    setattr(module, hook, hit)
    return ended


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize(("step", "saved"), [(0, 1), (2, 3), (4, 5)])
def test_the_run_is_saved_after_the_step(
    make_trainer, module, data, tmp_path, number, status, step, saved
):
    """Trap: Lightning's Ctrl-C leaves half an optimizer step behind, its SIGTERM an exit 0."""
    send_in(module, step, number)
    trainer = make_trainer(LastCheckpoint(tmp_path), StopBetweenSteps(tmp_path))
    with pytest.raises(signals.Stopped) as stop:
        trainer.fit(module, datamodule=data)
    assert stop.value.code == status
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == saved


def test_a_second_one_leaves_at_once(make_trainer, module, data, tmp_path):
    ended = send_in(module, 1, signal.SIGINT, signal.SIGINT, signal.SIGINT)
    with pytest.raises(signals.Stopped) as stop:
        make_trainer(StopBetweenSteps(tmp_path)).fit(module, datamodule=data)
    assert stop.value.code == 130
    assert len(ended) == 1
    assert not (tmp_path / "last.ckpt").exists()


def test_a_half_accumulated_gradient_is_not_cut(make_trainer, module, data, tmp_path):
    send_in(module, 0, signal.SIGTERM)
    trainer = make_trainer(StopBetweenSteps(tmp_path))
    trainer.accumulate_grad_batches = 2
    with pytest.raises(signals.Stopped):
        trainer.fit(module, datamodule=data)
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    batches = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]["ready"]
    assert (content["global_step"], batches) == (1, 2)


def test_a_signal_while_the_others_are_waited_for_is_told_by_its_name(module):
    """Trap: another process has asked, and this one said SIGTERM for its own Ctrl-C."""

    def wait(decision, all):
        os.kill(os.getpid(), signal.SIGINT)
        return True

    strategy = SimpleNamespace(reduce_boolean_decision=wait)
    signals.training(True)
    with pytest.raises(signals.Stopped) as stop:
        StopBetweenSteps(None).on_train_epoch_end(
            SimpleNamespace(world_size=2, strategy=strategy), module
        )
    assert stop.value.number == signal.SIGINT


def test_a_test_ends_at_once(make_trainer, module, data, tmp_path):
    send_in(module, 0, signal.SIGTERM, hook="test_step")
    with pytest.raises(signals.Stopped):
        make_trainer(StopBetweenSteps(None)).test(module, datamodule=data, verbose=False)


def test_lightning_takes_no_signal(make_trainer, module, data, tmp_path):
    """Its handler broadcasts wherever it is; a name of Lightning 2.6 that is private."""
    assert callable(_SignalConnector.register_signal_handlers)
    seen = []
    module.on_train_start = lambda: seen.append(signal.getsignal(signal.SIGTERM))
    make_trainer(StopBetweenSteps(tmp_path)).fit(module, datamodule=data)
    assert seen == [signals._handle]


def test_a_forked_worker_ends_by_sigterm_as_ever(monkeypatch):
    """Trap: a DataLoader ends its workers so, and they have inherited the handler that notes."""
    done = []
    monkeypatch.setattr(os, "getpid", lambda: -1)  # no longer the process that took the signals
    monkeypatch.setattr(os, "kill", lambda *call: done.append(call))
    signals._handle(signal.SIGINT, None)
    assert not done
    signals._handle(signal.SIGTERM, None)
    assert done == [(-1, signal.SIGTERM)]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with signals.taken():
        assert signals.noted() == 0
    assert signal.getsignal(signal.SIGTERM) == before
