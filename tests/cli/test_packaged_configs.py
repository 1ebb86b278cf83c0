"""The configs of the package are had by name, wherever the command runs."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from lt_lightning.runs import packaged

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = (
    "--model.backbone.depth 8 --model.backbone.width 4 --data.source.size 8 "
    "--trainer.accelerator cpu --trainer.max_epochs 1 --trainer.limit_train_batches 1"
)


def test_a_name_is_the_file_of_the_package(lt, tmp_path):
    answer = lt(f"fit --config ce -c=data/digits {TINY}")
    assert answer.status == 0, answer.err
    kept = yaml.safe_load((tmp_path / "runs" / "ce-digits" / "0" / "config.yaml").read_text())
    assert kept["data"]["source"]["class_path"].endswith(".Digits")


def test_the_command_is_kept_as_it_was_typed(lt, tmp_path):
    line = f"fit --config ce --config data/digits {TINY} --name kept"
    assert lt(line).status == 0
    results = json.loads((tmp_path / "runs" / "kept" / "0" / "results.json").read_text())
    assert results["command"] == ["lt", *line.split()]
    assert results["config"] == ["ce.yaml", "digits.yaml"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["fit", "--config", "bbn"], ["fit", f"--config={CONFIGS / 'bbn.yaml'}"]),
        (["fit", "-cbbn.yaml"], ["fit", f"--config={CONFIGS / 'bbn.yaml'}"]),
        (["--config=configs/data/digits.yaml"], [f"--config={CONFIGS / 'data' / 'digits.yaml'}"]),
        (["--config", "other"], ["--config", "other"]),
        (["--name", "bbn"], ["--name", "bbn"]),
    ],
)
def test_words_in_full(given, found, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert packaged.in_full(given) == found


def test_an_own_file_comes_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bbn").write_text("{}")
    (tmp_path / "ce").mkdir()
    assert packaged.in_full(["--config", "bbn"]) == ["--config", "bbn"]
    assert packaged.in_full(["--config", "ce"]) == [f"--config={CONFIGS / 'ce.yaml'}"]


def test_an_unknown_name_gets_the_nearest(lt):
    answer = lt("fit --config bbbn")
    assert answer.status == 2
    assert answer.err == "lt: The config file bbbn does not exist; did you mean bbn?\n"


def test_a_pre_training_is_had_by_name(lt, tmp_path):
    from lt_lightning.cli.pretraining import _find

    assert _find("ssp_rotation", []) == CONFIGS / "ssp_rotation.yaml"


def test_an_installed_package_has_them_inside(monkeypatch, tmp_path):
    inside = tmp_path / "lt_lightning" / "configs"
    shutil.copytree(CONFIGS, inside)
    packaged.configs.cache_clear()
    monkeypatch.setattr(packaged, "_INSIDE", inside)
    try:
        assert packaged.find("data/digits") == inside / "data" / "digits.yaml"
    finally:
        packaged.configs.cache_clear()


def test_the_list_has_every_file_with_its_first_line(lt):
    answer = lt("configs")
    assert answer.status == 0
    for file in CONFIGS.rglob("*.yaml"):
        name = file.relative_to(CONFIGS).with_suffix("").as_posix()
        (line,) = [x for x in answer.out.splitlines() if x.split()[:1] == [name]]
        assert line.endswith(file.read_text().partition("\n")[0].removeprefix("# "))


def test_one_is_shown(lt):
    assert lt("configs show bbn").out == (CONFIGS / "bbn.yaml").read_text()


def test_copies_can_be_changed_and_are_never_written_over(lt, tmp_path):
    answer = lt("configs copy bbn data/digits --to own")
    assert answer.status == 0
    assert answer.out.splitlines()[0] == "own/bbn.yaml: lt fit --config own/bbn.yaml"
    copy = tmp_path / "own" / "data" / "digits.yaml"
    assert copy.read_text() == (CONFIGS / "data" / "digits.yaml").read_text()
    copy.write_text("mine")
    again = lt("configs copy bbn data/digits --to own")
    assert (again.status, copy.read_text()) == (1, "mine")
    assert again.err.startswith("lt: own/bbn.yaml exists and is not written over: ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("configs show bbbn", "There is no config 'bbbn': did you mean 'bbn'?"),
        ("configs copy", "lt configs does not know 'copy'"),
        ("configs copy --to", "lt configs does not know 'copy --to'"),
        ("configs list all", "lt configs does not know 'list all'"),
    ],
)
def test_mistakes_get_one_sentence(line, says, lt):
    answer = lt(line)
    assert answer.status == 2
    assert answer.err.startswith(f"lt: {says}")
    assert answer.err.count("\n") == 1
