"""W&B without an account, a network or a question."""

import json
import logging
import socket
import threading

import pytest
import wandb
from lightning.pytorch.utilities import rank_zero_only
from wandb_records import finished_records
from wandb_server import KEY

from lt_lightning.callbacks import ClassWeights, RunRecord, WandbMedia
from lt_lightning.callbacks.outcome import Outcome
from lt_lightning.errors import UserError
from lt_lightning.runs.past import Past
from lt_lightning.wandb_.run import WandbRun, has_account

pytestmark = pytest.mark.usefixtures("no_wandb_account")


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
    logger = logging.getLogger("lt_lightning.wandb_.run")
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
    # A sweep may be the group of all of its methods, which the workspace shows side by side.
    assert second._wandb_init["job_type"] == other._wandb_init["job_type"] == "ce"


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


def name_of(item):
    return item.key or "/".join(item.nested_key)


def fit_and_test(make_trainer, module, data, folder):
    logger = WandbRun()
    logger.use_folder(folder, "Toy, ratio 50")
    record = RunRecord(str(folder))
    trainer = make_trainer(record, ClassWeights(), WandbMedia(), logger=logger)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    record.evaluation, record.tau_curve = "last+tau_norm_0.5", {0.0: 0.25, 0.5: 0.75}
    trainer.test(module, datamodule=data, verbose=False)
    wandb.finish()


def test_an_offline_run_holds_everything_and_asks_nobody(
    make_trainer, pictures, tmp_path, contacts, monkeypatch
):
    folder, titles, figures = tmp_path / "ce" / "0", [], Outcome.figures
    monkeypatch.setattr(
        Outcome, "figures", lambda self, title: titles.append(title) or figures(self, title)
    )
    module = pictures[0]  # which takes such weights where a LongTailModule takes them
    module.on_fit_start = lambda: setattr(module, "past", Past(test_seen=True, oracle=True))
    fit_and_test(make_trainer, *pictures, folder)
    assert len(titles) == 2  # once for each of the two tests
    assert contacts == []
    found = finished_records(folder)
    (run,) = {(r.run.display_name, r.run.run_group, r.run.project) for r in found["run"]}
    assert run == ("ce/0", "ce, Toy, ratio 50", "lt_lightning")
    tags = {tag for r in found["run"] for tag in r.run.tags}
    assert {"ToyModule", "ToyPictures", "many 2", "few 1"} <= tags
    assert {"test seen during training", "oracle"} <= tags
    axes = {(r.metric.glob_name or r.metric.name, r.metric.step_metric) for r in found["metric"]}
    drawn_over_epochs = ("train/*", "val/*", "test/*", "weight/*", "alpha", "stage")
    assert {(name, "epoch") for name in drawn_over_epochs} <= axes
    history = [
        {name_of(item): item.value_json for item in r.history.item} for r in found["history"]
    ]
    assert [row["train/loss"] for row in history if "train/loss" in row] == ["2", "2"]
    drawn = {"/".join(name.split("/")[:2]) for row in history for name in row}
    assert {f"last/{name}" for name in MEDIA} <= drawn
    assert "last/tau_curve" not in drawn
    assert "last+tau_norm_0.5/tau_curve" in drawn
    assert any(name.startswith("class_weights/") for name in drawn)
    summary = {name_of(i): i.value_json for r in found["summary"] for i in r.summary.update}
    assert float(summary["last/acc"]) == pytest.approx(4 / 6)
    files = next(folder.glob("wandb/offline-run-*/files/media"))
    images = sorted(path.name.partition("_")[0] for path in files.glob("images/last/*.png"))
    # Equal images share a file.
    assert images == ["accuracy", "confusion", "reliability", "tail", "tail"]
    rows = read_table(files, "last/per_class")
    assert [row[:6] for row in rows] == [
        ["cat", "many", 300, 3, 2, 2 / 3],
        ["dog", "many", 120, 2, 2, 1.0],
        ["eel", "few", 6, 1, 0, 0.0],
    ]
    assert sum(row[6] for row in rows) == 6
    assert [row[7] for row in rows] == [row[4] / row[6] if row[6] else None for row in rows]
    assert read_table(files, "last/reliability") == [[14 / 15, 1.0, 6, 1.0, 4 / 6]]
    assert read_table(files, "last+tau_norm_0.5/tau_curve") == [[0.0, 0.25], [0.5, 0.75]]
    assert read_table(files, "class_weights") == [
        ["cat", 300, 0.5, 0], ["dog", 120, 1.0, 0], ["eel", 6, 3.0, 0],
    ]  # fmt: skip
    assert [row["weight/few"] for row in history if "weight/few" in row] == ["3", "3"]
    config = {name_of(i) for r in found["config"] + found["run"] for i in config_items(r)}
    assert {"fingerprint", "class_counts", "subset_seed"} <= config


MEDIA = ("per_class", "reliability", "confusion_table", "tail_images",
         "accuracy_figure", "reliability_figure", "confusion_figure")  # fmt: skip


def read_table(files, key):
    """Return the rows of a table that was logged; floats as they were given, to six digits."""
    (file,) = files.glob(f"table/{key}_*.table.json")
    rows = json.loads(file.read_text())["data"]
    return [[pytest.approx(v) if isinstance(v, float) else v for v in row] for row in rows]


def config_items(record):
    holder = record.config if record.WhichOneof("record_type") == "config" else record.run.config
    return holder.update


def test_a_disabled_run_trains_all_the_same(
    make_trainer, module, data, tmp_path, contacts, monkeypatch
):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr("lt_lightning.wandb_.media._pictures", lambda *_: {})
    folder = tmp_path / "ce" / "0"
    fit_and_test(make_trainer, module, data, folder)
    assert contacts == []
    assert (folder / "results.json").is_file()
    assert not list(folder.glob("wandb/*run*"))
