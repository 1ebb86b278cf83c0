"""The folder examples/: the package from outside, and the notebook."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packages import install

EXAMPLES = Path(__file__).parents[1] / "examples"
PACKAGE = EXAMPLES / "my_method"

pytestmark = pytest.mark.slow


def _environment(*more):
    paths = [str(PACKAGE), str(EXAMPLES.parent), *map(str, more)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def _run(*words, folder, site=()):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=folder,
        env=_environment(*site),
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.timeout(600)
def test_tests_of_the_package_pass(tmp_path):
    out = _run("pytest", "-q", "-p", "no:cacheprovider", ".", folder=PACKAGE)
    assert "9 passed" in out


@pytest.mark.timeout(900)
def test_classes_from_outside_work_in_every_command(tmp_path):
    (tmp_path / "configs").symlink_to(EXAMPLES.parent / "configs")
    fit = [
        *(
            "fit",
            "--config",
            str(PACKAGE / "two_draws.yaml"),
            "--config",
            "configs/data/digits.yaml",
        ),
        *("--model.loss", "my_method.PartlyBalancedSoftmax", "--model.loss.tau", "0.5"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4", "--data.batch_size", "16"),
        *("--trainer.accelerator", "cpu", "--trainer.limit_train_batches", "2"),
        *("--data.holdout.fraction", "0.1", "--name", "mine"),
    ]
    _run("lt_lightning", *fit, "--trainer.max_epochs", "1", folder=tmp_path)
    _run("lt_lightning", "test", "runs/mine/0", folder=tmp_path)
    _run("lt_lightning", "calibrate", "runs/mine/0", folder=tmp_path)
    _run("lt_lightning", "cam", "runs/mine/0", "--out", "ADDED", folder=tmp_path)
    images = ("--images", "ADDED", "--out", "predictions.csv")
    _run("lt_lightning", "predict", "runs/mine/0", *images, folder=tmp_path)
    assert "contact_sheet.png," in (tmp_path / "predictions.csv").read_text()
    _run("lt_lightning", "report", "runs/mine/0", "--out", "report.html", folder=tmp_path)
    assert "two_draws" in (tmp_path / "report.html").read_text()
    further = (*fit, "--trainer.max_epochs", "2", "--ckpt_path", "last")
    _run("lt_lightning", *further, folder=tmp_path)
    assert not (tmp_path / "runs" / "mine" / "1").exists()
    features = ("report", "runs/mine/0", "--features", "--out", "features.html")
    _run("lt_lightning", *features, folder=tmp_path)
    assert "t-SNE" in (tmp_path / "features.html").read_text()
    student = [
        *("fit", "--config", "configs/pseudo_label.yaml", "--model.teacher", "runs/mine/0"),
        *("--config", "configs/data/digits.yaml", "--data.batch_size", "16", "--name", "student"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--trainer.accelerator", "cpu", "--trainer.limit_train_batches", "2"),
        *("--trainer.max_epochs", "1"),
    ]
    _run("lt_lightning", *student, folder=tmp_path)


@pytest.mark.timeout(600)
def test_classes_of_an_installed_package_are_taken_by_their_names(tmp_path):
    toml = pytest.importorskip("tomllib", reason="of Python 3.11")
    project = toml.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    groups = project["entry-points"]
    points = {group.removeprefix("lt_lightning."): names for group, names in groups.items()}
    install(tmp_path, project["name"], points)
    text = (PACKAGE / "two_draws.yaml").read_text("utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("my_method.", ""), "utf-8")
    fit = [
        *("fit", "--config", "mine.yaml", "--config", EXAMPLES.parent / "configs/data/digits.yaml"),
        *("--model.loss", "PartlyBalancedSoftmax", "--data.batch_size", "16"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--trainer.accelerator", "cpu", "--trainer.limit_train_batches", "2"),
        *("--trainer.max_epochs", "1", "--name", "mine"),
    ]
    _run("lt_lightning", *fit, folder=tmp_path, site=[tmp_path])
    assert "my_method.PartlyBalanced\n" in (tmp_path / "runs/mine/0/config.yaml").read_text("utf-8")
    _run("lt_lightning", "test", "runs/mine/0", folder=tmp_path)  # of a run the path is known


@pytest.mark.timeout(600)
def test_notebook_runs(tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    for name, value in _environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(
        notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    printed = "".join(
        out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", [])
    )
    assert "CrossEntropy: macro" in printed
    assert "BalancedSoftmax: macro" in printed
