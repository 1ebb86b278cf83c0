"""What was chosen is what predicts: changes without training, as given, fitted or saved."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from lt_runs import in_process, put_back
from PIL import Image

import lt_lightning as lt_library
from lt_lightning.data import Digits
from lt_lightning.metrics.class_stats import NLL_LIMIT
from lt_lightning.post_hoc import LogitAdjuster
from lt_lightning.runs.config import began_with


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Return a list of the test images of the digits with their labels."""
    folder, split = tmp_path_factory.mktemp("digits"), Digits(size=8).load(Path())["test"]
    for number, image in enumerate(split.images.permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(folder / f"{number:04}.png")
    lines = [f"{number:04}.png {y}" for number, y in enumerate(split.labels.tolist())]
    (folder / "list.txt").write_text("\n".join(lines))
    return folder / "list.txt"


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """Return a run after lt calibrate and tests with changes, each saved as a run of its own."""
    run = tmp_path_factory.mktemp("changed") / "runs" / "held" / "0"
    shutil.copytree(finished, run)
    with pytest.MonkeyPatch.context() as patch, put_back():
        patch.chdir(run.parents[2])
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        assert in_process(["calibrate", str(run)]).status == 0
        for name in _DEFAULT:
            save(run, name)
    return run


def save(run, name):
    answer = in_process(["test", str(run), "--save_as", name, *SAVED[name].split()])
    assert answer.status == 0, answer.err


@pytest.fixture(scope="module")
def all_changed(changed):
    """Return the same run after all changes are saved."""
    with pytest.MonkeyPatch.context() as patch, put_back():
        patch.chdir(changed.parents[2])
        for name in SAVED.keys() - set(_DEFAULT):
            save(changed, name)
    return changed


SAVED = {
    "adjusted": "--post_hoc LogitAdjuster --post_hoc.tau null",
    "times": "--post_hoc MultiplicativeLogitAdjuster",
    "even": "--post_hoc TauNormalization --post_hoc.tau 0.7",
    "near": "--post_hoc NearestMean",
    "warm": "--post_hoc TemperatureScaling",
    "vector": "--post_hoc VectorScalingCalibration",
}
# Of the logits and of the weights, one each; the others differ in how they are fitted.
_DEFAULT = ("adjusted", "near")


def results(run):
    return json.loads((run / "results.json").read_text(encoding="utf-8"))["evaluations"]


def evaluation(run, part):
    return next(found for label, found in results(run).items() if part in label)


def predicted(lt, run, listed, more=""):
    answer = lt(f"predict {run} --images {listed} --out x.csv --force --device cpu {more}")
    assert answer.status == 0, answer.err
    with open("x.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def check_same(rows, found):
    """The CSV has the confusion of the evaluation, and its NLL to nine digits."""
    for y, text in enumerate(found["confusion"]):
        own = [row["class"] for row in rows if row["label"] == str(y)]
        counted = {k: own.count(str(k)) for k in range(10) if str(k) in own}
        assert text == " ".join(f"{k}:{count}" for k, count in counted.items())
    chances = torch.tensor([float(row[f"p:{row['label']}"]) for row in rows], dtype=torch.float64)
    assert float(-chances.log().clamp_min(-NLL_LIMIT).mean()) == pytest.approx(
        found["overall"]["nll"], abs=1e-6
    )


ASKED = {  # options of lt predict, a part of the label of the same in results.json
    "--post_hoc LogitAdjuster --post_hoc.tau null": "logit_adjustment",
    "--post_hoc TauNormalization --post_hoc.tau 0.7": "tau_norm_0.7",
    "--post_hoc MultiplicativeLogitAdjuster": "multiplicative_logit_adjustment",
    "--calibrated": "temperature",
    "--calibrated vector": "vector_scaling",
}


@pytest.mark.parametrize(
    "asked",
    [pytest.param(a, marks=[] if a.endswith("null") else pytest.mark.slow) for a in ASKED],
)
def test_the_csv_is_what_results_json_counted(lt, changed, listed, asked, request):
    if "Tau" in asked:
        changed = request.getfixturevalue("all_changed")
    rows = predicted(lt, changed, listed, asked)
    check_same(rows, evaluation(changed, ASKED[asked]))
    if evaluation(changed, ASKED[asked])["fitted"] != {"tau": 0}:
        assert rows != predicted(lt, changed, listed)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in _DEFAULT else pytest.mark.slow) for n in SAVED]
)
def test_a_saved_run_predicts_and_tests_as_what_it_was_saved_from(
    lt, changed, listed, name, request
):
    if name not in _DEFAULT:
        changed = request.getfixturevalue("all_changed")
    run = changed.parent.parent / name / "0"
    rows = predicted(lt, run, listed)
    (label,) = results(run)
    assert results(run)[label]["classes"] == results(changed)[label]["classes"]
    check_same(rows, results(run)[label])
    before = json.loads((run / "results.json").read_text(encoding="utf-8"))

    copy = Path(shutil.copytree(run, Path("runs") / "copy" / "0"))
    answer = lt(f"test {copy}")
    assert answer.status == 0, answer.err
    assert list(results(copy)) == [label]
    for key in ("classes", "overall", "confusion"):
        assert results(copy)[label][key] == before["evaluations"][label][key]
    assert lt(f"report {copy}").status == 0


def test_the_fitted_value_is_kept_bit_for_bit(changed):
    same_values(changed, "adjusted", "tau")
    assert "fitted" not in evaluation(changed, "ncm")


@pytest.mark.slow
def test_all_fitted_values_are_kept_bit_for_bit(all_changed):
    for name, key in (("warm", "temperature"), ("vector", "bias")):
        same_values(all_changed, name, key)


def same_values(changed, name, key):
    run = changed.parent.parent / name / "0"
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    (label,) = results(run)
    kept = content["lt_changes"][0]["values"][key]
    assert results(changed)[label]["fitted"][key] == kept.tolist()


def test_python_has_the_same_choices(lt, changed, listed):
    run = lt_library.load_run(changed, device="cpu")
    files = [listed.parent / f"{number:04}.png" for number in range(40)]
    for asked, options in (
        ("--calibrated vector", {"calibrated": "vector"}),
        ("--post_hoc LogitAdjuster --post_hoc.tau null", {"post_hoc": LogitAdjuster(tau=None)}),
    ):
        rows = predicted(lt, changed, listed, asked)
        found = run.predict(files, **options).probabilities
        wanted = [[float(row[f"p:{k}"]) for k in range(10)] for row in rows[:40]]
        assert found.tolist() == pytest.approx(torch.tensor(wanted).double(), abs=1e-6)
    plain = predicted(lt, changed, listed)
    assert list(run.predict(files).names) == [row["class"] for row in plain[:40]]


REFUSED = {
    "predict {run} {images} --calibrated": "TemperatureScaling was not fitted to {run}",
    "predict {run} {images} --post_hoc NearestMean": "--post_hoc.form cl2n --save_as NEW",
    "predict {saved} {images} --post_hoc LogitAdjuster": "was saved with logit_adjustment_tau",
    "predict {run} {images} --calibrated --post_hoc LogitAdjuster": "does not go with another",
    "predict {run} {images} --calibrated warm": "invalid choice: 'warm'",
    "predict {run} {images} --post_hoc ERM": "post_hoc",
    "predict {run} {images} --post_hoc LogitAdjuster --post_hoc.tau -1": "tau is -1",
    "predict {run} {images} --post_hoc LogitAdjuster --post_hoc.taus 1": "post_hoc.taus",
    "predict {run} {images} --target_prior nowhere.csv": "nowhere.csv",
    "predict {run} {images} --target_prior {images_list}": "no class of the run: they are '0'",
    "predict {run} {images} --post_hoc TargetPrior": "give --post_hoc.shares FILE",
    "test {run} --target_prior": "--target_prior has no file",
    "test {run} --target_prior x.csv --post_hoc LogitAdjuster": "lt test makes one change",
    "test {run} --save_as new": "add --post_hoc NAME",
    "test {run} --post_hoc LogitAdjuster --save_as a/b": "give the name of one folder",
    "test {saved} --post_hoc LogitAdjuster": "was saved with logit_adjustment",
    "fit --ckpt_path {saved}/checkpoints/last.ckpt {quick}": "was changed after its training",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_was_not_fitted_or_cannot_be_saved_is_said(lt, place, changed, listed, line):
    names = {"run": place["run"], "images": f"--images {listed} --out x.csv", **place}
    names["images_list"] = listed
    names |= {"saved": changed.parent.parent / "adjusted" / "0", "quick": place["quick"]}
    answer = lt(line.format(**names))
    assert answer.status in (1, 2)
    assert REFUSED[line].format(**names) in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("x.csv").exists()


def test_a_second_stage_does_not_drop_a_change_without_a_word(lt, place, changed):
    saved = changed.parent.parent / "adjusted" / "0"
    given = place["quick"].replace("--model ERM", "").replace("--trainer.max_epochs 1", "")
    answer = lt(f"fit --config lws --model.stage1_ckpt {saved} {given}")
    assert answer.status == 1
    assert "was changed after its training" in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err
    own = lt(f"fit --config crt --model.stage1_ckpt {saved} {given}")  # begins with none
    assert own.status == 0
    assert "none of the classifier" in own.err
    assert "end of stage 1" not in own.out


SHARES = {str(k): k * (k != 4) for k in range(10)}  # a class of share 0 among them


@pytest.fixture
def shares(tmp_path):
    (tmp_path / "shares.json").write_text(json.dumps(SHARES))
    return tmp_path / "shares.json"


def by_hand(rows, assumed):
    """Saerens et al., a row and a class at a time, from a CSV of the run as it is."""
    found = []
    for row in rows:
        parts = [float(row[f"p:{k}"]) * SHARES[str(k)] / assumed[k] for k in range(10)]
        found.append([part / sum(parts) for part in parts])
    return torch.tensor(found, dtype=torch.float64)


def chances(rows):
    return torch.tensor([[float(row[f"p:{k}"]) for k in range(10)] for row in rows]).double()


TRAINED = None  # the shares of the training images
SHIFTED = {
    "": TRAINED,
    "--calibrated": TRAINED,
    "--post_hoc LogitAdjuster --post_hoc.tau 1": [0.1] * 10,
    "--calibrated vector": [0.1] * 10,
}


@pytest.mark.parametrize("more", SHIFTED)
def test_a_target_prior_goes_behind_what_else_was_asked_for(lt, changed, listed, shares, more):
    counts = json.loads((changed / "results.json").read_text())["data"]["class_counts"]
    before = predicted(lt, changed, listed, more)
    rows = predicted(lt, changed, listed, f"{more} --target_prior {shares}")
    wanted = by_hand(before, SHIFTED[more] or counts)
    assert torch.allclose(chances(rows), wanted, atol=1e-6)
    assert {row["class"] for row in rows}.isdisjoint({"0", "4"})
    if not more:
        run = lt_library.load_run(changed, device="cpu")
        files = [listed.parent / f"{number:04}.png" for number in range(20)]
        for given in (SHARES, shares):
            found = run.predict(files, target_prior=given).probabilities
            assert torch.allclose(found, wanted[:20], atol=1e-6)


def test_a_target_prior_is_kept_in_a_saved_run_and_in_an_export(lt, changed, listed, shares):
    """Also on a run that was saved with a change; the file of shares is then gone."""
    adjusted = changed.parent.parent / "adjusted" / "0"
    run = Path(shutil.copytree(adjusted, Path("runs") / "held" / "0"))
    wanted = chances(predicted(lt, run, listed, f"--target_prior {shares}"))
    answer = lt(f"test {run} --target_prior {shares} --save_as there")
    assert answer.status == 0, answer.err
    assert "The run takes it that" in answer.err
    shares.unlink()
    saved = Path("runs") / "there" / "0"
    rows = predicted(lt, saved, listed)
    assert torch.equal(chances(rows), wanted)
    (label,) = results(saved)
    assert label.endswith("+target_prior")
    check_same(rows, results(saved)[label])
    assert lt(f"export {saved} --format torch_export --out there").status == 0
    about = json.loads(Path("there/about.json").read_text(encoding="utf-8"))
    assert about["changes"][-1] == "target_prior"
    network = torch.export.load("there/model.pt2").module()
    assert network(torch.zeros(2, 8, 8, 3, dtype=torch.uint8))[:, [0, 4]].max() == 0
    for more in ("--calibrated", "--post_hoc LogitAdjuster", "--target_prior x.json"):
        answer = lt(f"predict {saved} --images {listed} --out y.csv {more}")
        assert answer.status == 1
    Path("x.json").write_text(json.dumps(SHARES))
    answer = lt(f"predict {saved} --images {listed} --out y.csv --target_prior x.json")
    assert "was saved with target_prior, and no change goes behind it" in answer.err


@pytest.mark.slow
def test_a_saved_run_can_be_calibrated(lt, changed, listed):
    run = changed.parent.parent / "adjusted" / "0"
    copy = Path(shutil.copytree(run, Path("runs") / "copy" / "0"))
    assert lt(f"calibrate {copy}").status == 0
    label = next(label for label in results(copy) if "+temperature" in label)
    assert label.startswith("last+logit_adjustment_tau_")
    check_same(predicted(lt, copy, listed, "--calibrated"), results(copy)[label])


SPOILT = {
    "class": {"class_path": "os.path.join"},
    "values": {"values": {"tau": "1"}},
    "other": {"class_path": "lt_lightning.methods.ERM"},
    "missing": {"values": {}},
    "options": {"init_args": {"taus": 1}},
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_change_in_a_checkpoint_is_refused(lt, changed, listed, name):
    run = changed.parent.parent / "adjusted" / "0"
    copy = Path(shutil.copytree(run, Path("runs") / "copy" / "0"))
    file = copy / "checkpoints" / "last.ckpt"
    content = torch.load(file, weights_only=True)
    content["lt_changes"][0].update(SPOILT[name])
    torch.save(content, file)
    answer = lt(f"predict {copy} --images {listed} --out x.csv")
    assert answer.status == 1
    assert answer.err.count("\n") == 1, answer.err
    assert "lt_changes" in answer.err


def test_the_config_of_a_saved_run_is_that_of_its_original(changed):
    new = changed.parents[1] / "adjusted" / "0"

    assert began_with(new) == {**began_with(changed), "name": "adjusted", "post_hoc": None}
