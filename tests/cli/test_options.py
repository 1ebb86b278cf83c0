"""What the options of `lt` do: order of configs, names of runs, resuming, testing."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from lt_lightning.runs.folder import run_name

SHORT = " --trainer.limit_train_batches 1 --trainer.limit_test_batches 1"


def _files(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def test_a_later_config_lies_over_an_earlier_one_and_the_command_line_over_both(lt, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(
        "model: {class_path: ERM, init_args: {loss: {class_path: SoftmaxFocal, "
        "init_args: {gamma: 3}}}}\ntrainer: {max_epochs: 5, devices: 1}\ndata: {batch_size: 10}\n",
        encoding="utf-8",
    )
    second.write_text("trainer: {max_epochs: 6}\ndata: {batch_size: 20}\n", encoding="utf-8")

    answer = lt(f"fit --config {first} --config {second} --data.batch_size 30 --print_config")

    config = yaml.safe_load(answer.out)
    assert config["trainer"]["devices"] == 1
    assert config["trainer"]["max_epochs"] == 6
    assert config["data"]["batch_size"] == 30
    assert config["model"]["init_args"]["loss"]["init_args"]["gamma"] == 3


_OPTIONS = (
    ("trainer", "max_epochs"),
    ("model", "init_args", "optimizer", "init_args", "lr"),
    ("data", "profile", "init_args", "imbalance_ratio"),
    ("model", "init_args", "loss", "init_args", "max_margin"),
)


def test_keys_win_wherever_they_stand(lt, tmp_path):
    """Trap: to the parser the last word wins, also a file over the keys before it."""
    whole, later = tmp_path / "whole.yaml", tmp_path / "later.yaml"
    whole.write_text(
        "model: {class_path: ERM, init_args: {optimizer: {class_path: SGD, init_args: {lr: 0.3}}}}"
        "\ntrainer: {max_epochs: 5, devices: 1}\n"
        "data: {profile: {class_path: Exponential, init_args: {imbalance_ratio: 9}}}\n",
        encoding="utf-8",
    )
    later.write_text(
        "trainer: {max_epochs: 6, devices: 2}\n"
        "model: {init_args: {loss: {init_args: {max_margin: 0.4, scale: 7}}}}\n",
        encoding="utf-8",
    )
    keys = "--trainer.max_epochs 2 --model.optimizer.lr=0.7 --data.profile.imbalance_ratio 4"
    margin = "--model.loss LDAM --model.loss.max_margin 0.6"

    answer = lt(f"fit {keys} -c {whole} {margin} --config={later} --print_config")

    config = yaml.safe_load(answer.out)
    found = []
    for path in _OPTIONS:
        value = config
        for part in path:
            value = value[part]
        found.append(value)
    assert found == [2, 0.7, 4, 0.6]
    assert config["trainer"]["devices"] == 2, "a later file lies over an earlier one"
    assert config["model"]["init_args"]["loss"]["init_args"]["scale"] == 7


def test_another_class_drops_the_options_of_the_first(lt, place):
    answer = lt(
        f"fit --config {place['configs']}/ldam.yaml --model.loss CrossEntropy "
        "--model.head LinearHead --print_config"
    )

    arguments = yaml.safe_load(answer.out)["model"]["init_args"]
    assert answer.status == 0, answer.err
    assert "max_margin" not in arguments["loss"].get("init_args", {})
    assert "scale" not in arguments["head"].get("init_args", {})


@pytest.mark.parametrize("option", ["lr 1", "zzz 1"])
def test_an_option_of_no_optimizer_asks_for_one(lt, option):
    """The base of all optimizers can be named, and takes no options of its own."""
    answer = lt(f"fit --model ERM --model.optimizer Optimizer --model.optimizer.{option}")

    assert answer.status == 2
    assert f"model.optimizer.{option.split()[0]} needs the optimizer before it, such as SGD" in (
        answer.err
    )


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("--model ERM", "erm"),
        ("--config configs/trainer/cpu.yaml --model ERM", "erm"),
        ("--config configs/ce.yaml --config configs/data/digits.yaml", "ce-digits"),
        ("-c configs/ce.yaml --config=configs/logger/wandb.yaml", "ce"),
    ],
)
def test_a_run_is_named_by_its_configs_without_trainer_and_logger(words, name):
    assert run_name(words.split(), "ERM") == name


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ("--config {configs}/trainer/cpu.yaml", "runs/erm/0"),
        ("--runs elsewhere/a --name b --version first", "elsewhere/a/b/first"),
    ],
)
def test_a_run_lies_where_the_user_says(lt, place, monkeypatch, words, folder):
    seen = []
    monkeypatch.setattr(
        "lt_lightning.cli.app.LTCLI._run_subcommand", lambda cli, _: seen.append(cli.folder)
    )

    answer = lt(f"fit {words.format_map(place)} {place['quick']}")

    assert answer.status == 0, answer.err
    assert seen == [Path(folder)]


def test_a_version_is_never_used_twice(lt, place, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "lt_lightning.cli.app.LTCLI._run_subcommand", lambda cli, _: seen.append(cli.folder)
    )
    runs = tmp_path / "runs" / "erm"
    for version in ("0", "1", "named"):
        (runs / version).mkdir(parents=True)
        (runs / version / "kept").write_text("mine", encoding="utf-8")
    before = _files(runs)

    answer = lt(f"fit {place['quick']}")

    assert answer.status == 0, answer.err
    assert seen == [Path("runs/erm/2")]
    assert _files(runs) == before


def test_last_goes_on_with_the_newest_run_of_that_name(lt, place, tmp_path):
    line = f"fit {place['quick']}{SHORT} --name mine --ckpt_path last"

    anew = lt(line)
    more = lt(f"{line} --trainer.max_epochs 2")

    assert "No run" in anew.err
    assert "starting anew" in anew.err
    run = tmp_path / "runs" / "mine" / "0"
    assert [p.name for p in run.parent.iterdir()] == ["0"]
    assert more.status == 0, more.err
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 1
    with (run / "metrics.csv").open(encoding="utf-8") as stream:
        epochs = [row["epoch"] for row in csv.DictReader(stream) if row["train/loss"]]
    assert epochs == ["0.0", "1.0"]


def test_a_run_is_tested_again_from_its_folder_alone(lt, place):
    copy = Path(place["copy"])
    before = json.loads((copy / "results.json").read_text(encoding="utf-8"))

    for words in (str(copy.parent), f"--best {copy}"):
        answer = lt(f"test {words}")
        assert answer.status == 0, answer.err
        assert "macro %" in answer.out

    after = json.loads((copy / "results.json").read_text(encoding="utf-8"))
    assert sorted(after["evaluations"]) == ["best", "last"]
    for label, evaluation in after["evaluations"].items():
        assert evaluation["overall"] == before["evaluations"][label]["overall"]
    assert {**after, "evaluations": None} == {**before, "evaluations": None}


@pytest.mark.slow
def test_a_second_stage_is_tested_without_the_run_of_its_first(lt, place, tmp_path):
    first = Path(place["copy"])
    answer = lt(
        f"fit --config {place['configs']}/crt.yaml --data.source Digits --data.source.size 8 "
        "--model.backbone.depth 8 --model.backbone.width 4 --model.stage2_epochs 1 "
        f"--model.stage1_ckpt {first} --data.batch_size 64 --trainer.precision 32-true{SHORT}"
    )
    assert answer.status == 0, answer.err
    shutil.rmtree(first)

    again = lt("test runs/crt/0")
    classified = lt(f"predict runs/crt/0 --images {place['images']} --out x.csv")

    assert again.status == 0, again.err
    assert classified.status == 0, classified.err


def test_validate_shows_the_held_out_images_and_changes_nothing(lt, place):
    copy = Path(place["copy"])
    before = _files(copy)

    answer = lt(f"validate {copy}")

    assert answer.status == 0, answer.err
    rows = csv.DictReader((copy / "metrics.csv").read_text(encoding="utf-8").splitlines())
    last = [row for row in rows if row["val/acc"]][-1]
    assert answer.out.startswith("On ")
    for key, head in (("acc", "all"), ("acc_macro", "macro"), ("acc_worst", "worst")):
        assert f" {head} {100 * float(last[f'val/{key}']):.1f} %" in answer.out
    part = lt(f"validate {copy} --trainer.limit_val_batches 1 --data.eval_batch_size 8")
    assert part.out.startswith("On a part of the ")
    assert _files(copy) == before


@pytest.mark.parametrize("checkpoint", [pytest.param("last", marks=pytest.mark.slow), "best"])
def test_a_post_hoc_change_is_recorded_with_the_weights_it_was_made_on(lt, place, checkpoint):
    copy = Path(place["copy"])

    answer = lt(f"test {copy}/checkpoints/{checkpoint}.ckpt --post_hoc LogitAdjuster")

    assert answer.status == 0, answer.err
    results = json.loads((copy / "results.json").read_text(encoding="utf-8"))
    added = results["evaluations"][f"{checkpoint}+logit_adjustment_tau_1"]
    assert added["checkpoint"]["path"] == f"checkpoints/{checkpoint}.ckpt"
    plain = results["evaluations"][checkpoint]["overall"]
    assert added["overall"]["nll"] != plain["nll"]


@pytest.mark.slow
def test_a_run_begins_with_the_backbone_of_another_and_lives_without_it(lt, place, tmp_path):
    quick = place["quick"].replace("--model ERM", "--model {method}") + SHORT
    first = lt(f"fit {quick.format(method='RotationSSP')} --name first")
    line = f"fit {quick.format(method='ERM')} --name second --model.backbone_init runs/first"
    second = lt(line)

    assert first.status == 0, first.err
    assert "nearest class mean" in first.out
    assert "rotation_acc" in first.out
    assert second.status == 0, second.err
    assert "runs/first/0/checkpoints/last.ckpt: took all 42 tensors of the backbone" in second.err
    shutil.rmtree("runs/first")
    again = lt("test runs/second/0")
    more = lt(f"{line} --trainer.max_epochs 2 --ckpt_path last")
    classified = lt(f"predict runs/second/0 --images {place['images']} --out x.csv")
    anew = lt(line)

    for answer in (again, more, classified):
        assert answer.status == 0, answer.err
    assert "took all" not in more.err
    assert anew.status == 1
    assert anew.err.startswith("lt: There is no run runs/first")
    assert not Path("runs/second/1").exists()


def test_a_training_that_skips_unreadable_images_counts_them(lt, place):
    answer = lt(
        f"fit {place['quick']} --data.profile AsIs --data.source ImageFolder --data.root "
        f"{place['torn']} --data.source.image_size 8 --data.source.unreadable skip"
    )

    assert answer.status == 0, answer.err
    assert "1 of 12 images cannot be read" in answer.err
    assert "5 training images" in answer.err


@pytest.mark.parametrize(
    ("form", "says"), [("text", "held/0"), ("md", "| ERM |"), ("csv", "macro_mean")]
)
def test_the_report_has_several_forms(lt, finished, form, says):
    answer = lt(f"report {finished} --format {form}")

    assert answer.status == 0, answer.err
    assert says in answer.out


def test_debug_shows_the_traceback(lt, place, monkeypatch):
    line = f"fit {place['quick']} --data.batch_size -3"
    plain = lt(line)
    monkeypatch.setenv("LT_DEBUG", "1")

    with pytest.raises(ValueError, match="batch_size is -3"):
        lt(line)

    assert plain.status == 1


@pytest.mark.parametrize("command", ["fit", "test"])
def test_each_command_has_a_help(lt, command):
    answer = lt(f"{command} --help")

    assert answer.status == 0
    assert "--data.batch_size" in answer.out
    assert answer.err == ""


@pytest.mark.parametrize(
    ("command", "says"),
    [("auto", "(30)"), ("predict", "(128)"), ("export", "(onnx)"), ("sweep", "(runs)")],
)
def test_the_help_says_what_an_option_is_by_default(lt, command, says):
    assert says in lt(f"{command} --help").out


def test_the_help_of_a_method_shows_its_options(lt):
    answer = lt("fit --model.help BBN")

    assert answer.status == 0
    assert "--model.alpha" in answer.out
    assert "--model.joint_pass" in answer.out
