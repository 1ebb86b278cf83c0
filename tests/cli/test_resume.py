"""What a run may go on with, and what it leaves as it is."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from PIL import Image


@pytest.fixture
def line(place):
    """The command of a finished run, which goes on with its copy."""
    return f"fit {place['quick']} --data.holdout.fraction 0.1 --ckpt_path {place['copy']}"


def results(folder):
    return json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--seed_everything 1", "began with seed_everything 0 but the config has 1"),
        ("--data.sampler ClassBalanced", "data.sampler InstanceBalanced but the config has Class"),
        pytest.param(
            "--data.augment null",
            "data.augment RandomCropFlip but the config has null",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "--trainer.precision bf16-mixed", "trainer.precision 32-true", marks=pytest.mark.slow
        ),
    ],
)
def test_a_run_goes_on_with_nothing_but_its_own_options(lt, place, line, snapshot, options, says):
    """Trap: results.json of the old weights was stamped with the new seed."""
    before = snapshot(Path(place["copy"]))
    answer = lt(f"{line} --trainer.max_epochs 2 {options}")
    assert (answer.status, len(answer.err.splitlines())) == (1, 1), answer.err
    assert says in answer.err
    assert snapshot(Path(place["copy"])) == before


def test_a_finished_run_is_left_as_it_is(lt, place, line, snapshot):
    before = snapshot(Path(place["copy"]))
    answer = lt(line)
    assert answer.status == 0
    assert answer.err == (
        f"lt: The run {place['copy']} is finished, nothing was changed: give more "
        "--trainer.max_epochs to go on with it.\n"
    )
    assert snapshot(Path(place["copy"])) == before


def test_what_was_not_tested_yet_is_tested_under_the_old_stamp(lt, place, line):
    file = Path(place["copy"]) / "results.json"
    content = results(place["copy"])
    del content["evaluations"]["best"]
    file.write_text(json.dumps(content), encoding="utf-8")
    assert lt(line).status == 0
    assert results(place["copy"])["command"] == content["command"]
    assert sorted(results(place["copy"])["evaluations"]) == ["best", "last"]


@pytest.mark.parametrize("option", ["--name other", "--version 7", "--runs elsewhere"])
def test_another_place_than_that_of_the_run_is_refused(lt, place, line, option):
    """Trap: the run went on in its own folder, and the option had no effect."""
    before = sorted(Path(place["copy"]).rglob("*"))
    answer = lt(f"{line} --trainer.max_epochs 2 {option}")
    assert answer.status == 1
    assert f"so {option} has no effect: leave it out." in answer.err
    assert answer.err.count("\n") == 1
    assert sorted(Path(place["copy"]).rglob("*")) == before
    assert not Path("elsewhere").exists()


def interrupted(*_):
    raise KeyboardInterrupt


def test_results_of_weights_that_were_trained_on_are_set_aside(lt, place, line):
    """Trap: a longer run that was cut in its test was finished, with the numbers of before."""
    copy = Path(place["copy"])
    before, steps = (copy / "results.json").read_bytes(), results(copy)["training"]["steps"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lt_lightning.cli.app.LTCLI.after_fit", interrupted)
        answer = lt(f"{line} --trainer.max_epochs 2")
    assert answer.status == 130
    assert f"`--ckpt_path {copy}` goes on from the last checkpoint" in answer.err
    assert (copy / f"results_{steps}_steps.json").read_bytes() == before
    assert not (copy / "results.json").exists()
    assert lt(f"test {copy}").status == 0
    assert results(copy)["training"]["epochs"] == 2
    assert "is finished" not in lt(f"{line} --trainer.max_epochs 2").err
    assert sorted(results(copy)["evaluations"]) == ["best", "last"]
    assert {e["checkpoint"]["epoch"] for e in results(copy)["evaluations"].values()} <= {0, 1}
    assert "is finished" in lt(f"{line} --trainer.max_epochs 2").err


def test_a_change_that_was_not_tested_yet_is_tested(lt, place, line):
    """Trap: with any other change on record the run was finished."""
    assert lt(f"test {place['copy']} --post_hoc LogitAdjuster --post_hoc.tau 1").status == 0
    change = "--post_hoc LogitAdjuster --post_hoc.tau 2"
    assert "is finished" not in lt(f"{line} {change}").err
    assert "last+logit_adjustment_tau_2" in results(place["copy"])["evaluations"]
    assert "is finished" in lt(f"{line} {change}").err


@pytest.mark.parametrize("in_memory", [True, False])
def test_other_pictures_under_the_same_names_are_refused(lt, tmp_path, in_memory):
    """Trap: names and labels made the fingerprint, so a run went on with any other pictures."""
    for split in ("train", "test"):
        for k in range(8):
            file = tmp_path / "birds" / split / "ab"[k % 2] / f"{k}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (30 * k, 100, 200)).save(file)
    words = (
        "fit --model ERM --model.backbone.depth 8 --model.backbone.width 4 --data.batch_size 4 "
        f"--data.source ImageFolder --data.source.image_size 8 --data.source.in_memory {in_memory} "
        "--trainer.accelerator cpu --trainer.precision 32-true --data.workers 0 --name birds "
        "--data.profile AsIs --data.root"
    )
    assert lt(f"{words} birds --trainer.max_epochs 1").status == 0
    shutil.copytree("birds", "moved")
    assert lt(f"{words} moved --trainer.max_epochs 2 --ckpt_path last").status == 0
    Image.new("RGB", (8, 8), (1, 2, 3)).save(Path("moved/train/a/0.png"))
    answer = lt(f"{words} moved --trainer.max_epochs 3 --ckpt_path last")
    assert answer.status == 1
    assert "was trained on other pictures under the same names" in answer.err
    later = [file.name for file in Path("runs/birds/0").glob("config-resumed-*.yaml")]
    assert later == ["config-resumed-1.yaml"], "the refused command trained nothing"
    assert lt("test runs/birds/0 --data.root moved").status == 0  # nothing is learned from them


@pytest.mark.slow
def test_the_best_of_averaged_weights_is_that_of_its_checkpoint(lt, place):
    """Trap: in the test at the end of a fit the callback put in the weights that go on training."""
    average = "--trainer.callbacks lightning.pytorch.callbacks.EMAWeightAveraging"
    line = f"fit {place['quick']} --data.holdout.fraction 0.1 --name ema {average}"
    assert lt(f"{line} --trainer.max_epochs 3 --trainer.limit_train_batches 5").status == 0
    fitted = results("runs/ema/0")["evaluations"]
    assert lt("test runs/ema/0 --best").status == 0
    tested = results("runs/ema/0")["evaluations"]
    assert tested["best"]["overall"] == fitted["best"]["overall"]
    assert set(tested) == set(fitted)


@pytest.mark.slow
def test_a_change_whose_file_was_edited_is_tested_again(lt, place, line):
    """Trap: the name of the file was that of the test, and its content another."""
    shares = Path("shares.json")
    shares.write_text(json.dumps({str(k): 1 + k for k in range(10)}))
    change = f"--post_hoc TargetPrior --post_hoc.shares {shares}"
    assert lt(f"{line} {change}").status == 0
    assert "is finished" in lt(f"{line} {change}").err
    shares.write_text(json.dumps({str(k): 10 - k for k in range(10)}))
    assert "is finished" not in lt(f"{line} {change}").err
    found = [name for name in results(place["copy"])["evaluations"] if "target_prior" in name]
    assert len(found) == 2
    assert "is finished" in lt(f"{line} {change}").err


def test_a_run_without_its_config_or_hyper_parameters_does_not_go_on(lt, place, line):
    place.change_checkpoint(lambda c: c.pop("hyper_parameters"))
    answer = lt(f"{line} --trainer.max_epochs 2")
    assert answer.status == 1
    assert "has no hyper_parameters" in answer.err
    (Path(place["copy"]) / "config.yaml").unlink()
    answer = lt(f"{line} --trainer.max_epochs 2")
    assert answer.status == 1
    assert len(answer.err.splitlines()) == 1, answer.err


def test_a_run_keeps_its_precision_on_another_machine(lt, place, line, monkeypatch):
    """Trap: a CPU that computes in bfloat16 would go on in bf16-mixed, without a word."""
    monkeypatch.setattr("lt_lightning.cli.resuming.native_bf16", lambda: True)
    words = line.replace("--trainer.precision 32-true", "") + " --trainer.max_epochs 2"
    answer = lt(words)
    assert answer.status == 0, answer.err
    assert results(place["copy"])["hardware"]["precision"] == "32-true"
    began = yaml.safe_load((Path(place["copy"]) / "config.yaml").read_text(encoding="utf-8"))
    assert began["trainer"]["precision"] == "32-true"


@pytest.mark.slow
def test_a_longer_run_begins_with_its_own_learning_rate(lt, place, tmp_path):
    cosine = (
        "--model.lr_schedule CosineRecipe --model.lr_schedule.warmup_epochs 0 "
        "--trainer.limit_test_batches 1"
    )
    line = f"fit {place['quick']} {cosine} --name longer"
    assert lt(f"{line} --trainer.max_epochs 2").status == 0
    assert lt(f"{line} --trainer.max_epochs 4 --ckpt_path last").status == 0
    text = (tmp_path / "runs" / "longer" / "0" / "metrics.csv").read_text(encoding="utf-8")
    names, *rows = [row.split(",") for row in text.splitlines()]
    rates = [float(row[names.index("train/lr")]) for row in rows if row[names.index("train/lr")]]
    assert rates == pytest.approx([0.1, 0.05, 0.05, 0.1 * 0.1464466094])
