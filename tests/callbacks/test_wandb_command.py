"""`lt fit` with W&B, without an account: on a terminal, and resumed."""

import os
import pty

import pytest
from lt_runs import CONFIGS, finish, results, run, start, tiny

pytestmark = pytest.mark.slow
WANDB = ("--config", str(CONFIGS / "logger" / "wandb.yaml"))
ONE_EPOCH = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
# Who tries to reach a server nonetheless does not get far.
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def arguments(*more):
    return tiny("ce", *WANDB, "--name", "run", *more)


def home(folder):
    (folder / "home").mkdir(exist_ok=True)
    return {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home"), **NO_NETWORK}


def test_no_question_is_asked_on_a_terminal(tmp_path):
    """Trap: W&B without a key waits at a prompt for ever where there is a terminal."""
    master, slave = pty.openpty()
    process = start(arguments(*ONE_EPOCH), tmp_path, stdin=slave, stderr=slave, **home(tmp_path))
    os.close(slave)
    shown = read_all(master)
    answer = finish(process)
    assert answer.status == 0, shown
    assert "API key" not in shown
    folder = tmp_path / "runs" / "run" / "0"
    assert list(folder.glob("wandb/offline-run-*"))
    assert results(folder)["training"]["epochs"] == 1


def read_all(descriptor):
    """Read what a terminal shows until its last writer is gone."""
    parts = []
    while True:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # Linux tells the end of a terminal like this
            break
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode(errors="replace")


def test_a_resumed_run_goes_on_in_its_wandb_run(tmp_path):
    for more in (("--trainer.max_epochs", "2"), ("--ckpt_path", "last")):
        answer = run(arguments(*more), tmp_path, **home(tmp_path))
        assert answer.status == 0, answer.err
    (folder,) = (tmp_path / "runs" / "run").iterdir()
    kept = (folder / "wandb_id").read_text()
    runs = [path.name for path in folder.glob("wandb/offline-run-*")]
    assert len(runs) == 2
    assert all(name.endswith(f"-{kept}") for name in runs)


def test_switched_off(tmp_path):
    answer = run(arguments(*ONE_EPOCH), tmp_path, WANDB_MODE="disabled", **home(tmp_path))
    assert answer.status == 0, answer.err
    assert results(tmp_path / "runs" / "run" / "0")["training"]["epochs"] == 1


@pytest.fixture
def server():
    from wandb_server import WandbServer

    server = WandbServer()
    yield server
    server.close()


def account(server, folder):
    from wandb_server import KEY

    places = {name: value for name, value in home(folder).items() if name not in NO_NETWORK}
    return {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, **places}


def test_wandb_sync_sends_an_offline_run(tmp_path, server):
    answer = run(arguments(*ONE_EPOCH), tmp_path, **home(tmp_path))
    assert answer.status == 0, answer.err
    (folder,) = tmp_path.glob("runs/run/0/wandb/offline-run-*")
    sync = start(["sync", folder], tmp_path, ("-m", "wandb"), **account(server, tmp_path))
    answer = finish(sync)
    assert answer.status == 0, answer.err
    (name,) = server.runs
    assert server.runs[name]["displayName"] == "run/0"
    assert server.runs[name]["groupName"] == "run, Digits, ratio 50"
    assert server.done == {name}
    summary = server.summary[name]
    expected = results(tmp_path / "runs" / "run" / "0")["evaluations"]["last"]["overall"]
    assert summary["test/acc"] == pytest.approx(expected["acc"])
    assert {"last/per_class", "last/reliability", "last/tail_images"} <= set(summary)


def test_an_online_run_is_resumed_on_the_server(tmp_path, server):
    for more in (("--trainer.max_epochs", "2"), ("--ckpt_path", "last")):
        answer = run(arguments(*more), tmp_path, **account(server, tmp_path))
        assert answer.status == 0, answer.err
    (name,) = server.runs
    rows = server.history[name]
    assert [row["epoch"] for row in rows if "train/loss" in row] == [0, 1, 2]
    assert not list(tmp_path.glob("runs/run/0/wandb/offline-run-*"))
