"""W&B without an account, a network or a question."""

import logging
import socket
import struct
import threading
import time

import pytest
import wandb
from lightning.pytorch.utilities import rank_zero_only

from lt_lightning.callbacks import RunRecord, WandbMedia
from lt_lightning.callbacks.wandb_run import WandbRun, has_account
from lt_lightning.errors import UserError

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """Be a user without account and settings; every server is one of `contacts`."""
    for name in ("API_KEY", "MODE", "BASE_URL", "PROJECT", "DISABLED", "IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(f"WANDB_{name}", "taken back at the end")
        monkeypatch.delenv(f"WANDB_{name}")
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR"):
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setattr(RunRecord, "_draw", lambda *_: None)  # WandbMedia draws the same ones
    yield
    wandb.teardown()


@pytest.fixture
def contacts(monkeypatch):
    """Return the list of who tried to reach W&B, directly or through a proxy."""
    found = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            found.append(connection.recv(200))
            connection.close()

    threading.Thread(target=listen, daemon=True).start()
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for name in ("WANDB_BASE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, url)
    yield found
    server.close()


@pytest.mark.parametrize(
    ("netrc", "expected"),
    [
        (None, False),
        (f"machine api.wandb.ai login user password {KEY}", True),
        (f"machine example.org login user password {KEY}", False),
        ("machine", False),
    ],
)
def test_an_account_is_a_key_in_netrc(tmp_path, netrc, expected):
    if netrc is not None:
        (tmp_path / "netrc").write_text(netrc)
    assert has_account() is expected


@pytest.mark.parametrize("name", ["WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"])
def test_an_account_is_a_key_in_the_environment(monkeypatch, name):
    monkeypatch.setenv(name, KEY)
    assert has_account()


def test_the_netrc_of_a_server_of_ones_own(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text(f"machine wandb.example.org login user password {KEY}")
    assert not has_account()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org:8080")
    assert has_account()


@pytest.mark.parametrize(
    ("mode", "key", "asked", "offline", "warned"),
    [
        (None, False, None, True, False),
        (None, False, True, True, False),
        (None, False, False, True, True),
        ("online", False, None, True, True),
        ("offline", False, None, True, False),
        ("disabled", False, None, False, False),
        ("disabled", False, True, False, False),
        (None, True, None, False, False),
        (None, True, True, True, False),
        ("online", True, None, False, False),
        ("offline", True, None, True, False),
        ("dryrun", True, None, True, False),
    ],
)
def test_offline_without_a_key(monkeypatch, caplog, mode, key, asked, offline, warned):
    """Trap: W&B without a key waits at a prompt, or ends the run where nobody can answer."""
    if mode is not None:
        monkeypatch.setenv("WANDB_MODE", mode)
    if key:
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    logger = logging.getLogger("lt_lightning.callbacks.wandb_run")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    assert WandbRun(offline=asked)._offline is offline
    assert ("kept offline" in caplog.text) is warned


def test_the_run_of_a_folder_is_the_same_after_a_resume(tmp_path):
    """Trap: a resumed training begins a second run, with half of the curves each."""
    folder = tmp_path / "ce" / "0"
    first = WandbRun()
    first.use_folder(folder)
    folder.mkdir(parents=True)
    (folder / "wandb_id").write_text(first._wandb_init["id"])
    second = WandbRun()
    second.use_folder(folder)
    assert second._wandb_init["id"] == first._wandb_init["id"] == second.version
    assert second._wandb_init["resume"] == "allow"
    assert second._wandb_init["dir"] == str(folder)
    assert second._wandb_init["name"] == "ce/0"
    assert second._wandb_init["group"] == "ce"
    other = WandbRun(group="mine")
    other.use_folder(tmp_path / "ce" / "1")
    assert other._wandb_init["id"] != first._wandb_init["id"]
    assert other._wandb_init["group"] == "mine"


def test_nothing_is_written_before_all_processes_know_the_folder(tmp_path):
    """Trap: the folder that one process makes is taken for another run's by the next one."""
    WandbRun().use_folder(tmp_path / "ce" / "0")
    assert not (tmp_path / "ce").exists()


def test_other_processes_have_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    monkeypatch.setattr(wandb, "init", lambda **_: pytest.fail("began a run"))
    logger = WandbRun()
    logger.use_folder(tmp_path / "ce" / "0")
    logger.experiment.log({"a": 1})
    logger.log_metrics({"a": 1.0}, 1)
    assert not (tmp_path / "ce").exists()


@pytest.mark.parametrize("error", [wandb.errors.UsageError, wandb.errors.CommError])
def test_a_refusal_is_one_sentence(tmp_path, monkeypatch, error):
    def refuse(**_):
        raise error("API key must be 40 characters long.\nSee the docs.")

    monkeypatch.setattr(wandb, "init", refuse)
    logger = WandbRun()
    logger.use_folder(tmp_path / "ce" / "0")
    with pytest.raises(UserError) as caught:
        _ = logger.experiment
    assert str(caught.value) == (
        "W&B did not begin the run (API key must be 40 characters long): check WANDB_API_KEY and "
        "the network, or set --trainer.logger.offline true."
    )


def test_the_test_of_the_last_epoch_stays(tmp_path, monkeypatch):
    """Trap: the test of best.ckpt comes under the same names."""
    logged = []

    class Run:
        def log(self, metrics):
            logged.append(metrics)

    logger = WandbRun()
    logger._experiment = Run()
    logger.log_metrics({"test/acc": 0.5, "train/loss": 1.0}, 1)
    logger.log_metrics({"test/acc": 0.6, "train/loss": 2.0}, 2)
    assert logged == [
        {"test/acc": 0.5, "train/loss": 1.0, "trainer/global_step": 1},
        {"train/loss": 2.0, "trainer/global_step": 2},
    ]


def records(file):
    """Yield the records of an offline run: frames of a LevelDB log around W&B's own messages."""
    from wandb.proto import wandb_internal_pb2

    data, place, part = file.read_bytes(), 7, b""
    assert data[:4] in (b":W&B", b"")
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        kind = data[place + 6] if left >= 7 else 0
        if kind == 0:
            place += left
            continue
        _, size, _ = struct.unpack("<IHB", data[place : place + 7])
        chunk = data[place + 7 : place + 7 + size]
        place += 7 + size
        part = chunk if kind in (1, 2) else part + chunk
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(part)
            yield record


def finished_records(folder, seconds=60):
    """Return all records by type; W&B writes them some time after wandb.finish() returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = {}
        for file in folder.glob("wandb/offline-run-*/*.wandb"):
            for record in records(file):
                found.setdefault(record.WhichOneof("record_type"), []).append(record)
        if "exit" in found:
            return found
        time.sleep(0.05)
    pytest.fail("the run was never written to its end")


def name_of(item):
    return item.key or "/".join(item.nested_key)


def fit_and_test(make_trainer, module, data, folder):
    logger = WandbRun()
    logger.use_folder(folder)
    trainer = make_trainer(RunRecord(str(folder)), WandbMedia(), logger=logger)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    wandb.finish()


def test_an_offline_run_holds_everything_and_asks_nobody(
    make_trainer, module, data, tmp_path, contacts
):
    folder = tmp_path / "ce" / "0"
    fit_and_test(make_trainer, module, data, folder)
    assert contacts == []
    found = finished_records(folder)
    (run,) = {(r.run.display_name, r.run.run_group, r.run.project) for r in found["run"]}
    assert run == ("ce/0", "ce", "lt_lightning")
    tags = {tag for r in found["run"] for tag in r.run.tags}
    assert {"ToyModule", "many 2", "few 1"} <= tags
    axes = {(r.metric.glob_name or r.metric.name, r.metric.step_metric) for r in found["metric"]}
    assert {("train/*", "epoch"), ("val/*", "epoch"), ("test/*", "epoch")} <= axes
    history = [
        {name_of(item): item.value_json for item in r.history.item} for r in found["history"]
    ]
    assert [row["train/loss"] for row in history if "train/loss" in row] == ["2", "2"]
    drawn = {"/".join(name.split("/")[:2]) for row in history for name in row}
    assert {"last/per_class", "last/accuracy_figure", "last/confusion_figure"} <= drawn
    summary = {name_of(i): i.value_json for r in found["summary"] for i in r.summary.update}
    assert float(summary["last/acc"]) == pytest.approx(4 / 6)
    assert len(list(folder.glob("wandb/offline-run-*/files/media/images/last/*.png"))) == 3
    config = {name_of(i) for r in found["config"] + found["run"] for i in config_items(r)}
    assert {"fingerprint", "class_counts", "subset_seed"} <= config


def config_items(record):
    holder = record.config if record.WhichOneof("record_type") == "config" else record.run.config
    return holder.update


def test_a_disabled_run_trains_all_the_same(
    make_trainer, module, data, tmp_path, contacts, monkeypatch
):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr("lt_lightning.callbacks.wandb_media._pictures", lambda *_: {})
    folder = tmp_path / "ce" / "0"
    fit_and_test(make_trainer, module, data, folder)
    assert contacts == []
    assert (folder / "results.json").is_file()
    assert not list(folder.glob("wandb/*run*"))
