"""What makes two evaluations the same one: the change, its options and its values."""

import json
import shutil
from pathlib import Path

import pytest

SHARES = {str(k): 1 + k for k in range(10)}


def results(run):
    content = json.loads((Path(run) / "results.json").read_text(encoding="utf-8"))
    return content["evaluations"]


def numbers_of(lt, run, asked):
    """Return the sentence of the model card of an export, and remove the folder."""
    answer = lt(f"export {run} --format safetensors --out out {asked}")
    assert answer.status == 0, answer.err
    card = Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    shutil.rmtree("out")
    return card.partition("## Numbers")[2].partition("| class")[0]


NO_TEST = "No test of these outputs is on record."


@pytest.mark.slow
def test_a_test_of_other_shares_is_another_test(lt, place):
    """The file is edited, or another one: neither the card nor results.json mixes them up."""
    pytest.importorskip("safetensors")
    run = place["copy"]
    assert lt(f"calibrate {run}").status == 0
    shares = Path("shares.json")
    shares.write_text(json.dumps(SHARES))
    asked = f"--target_prior {shares}"
    assert lt(f"test {run} {asked}").status == 0
    label = "last+target_prior"
    first = results(run)[label]
    wanted = f"accuracy {100 * first['overall']['acc']:.2f} %"
    assert wanted in numbers_of(lt, run, asked)
    shutil.copy(shares, "same.json")
    assert wanted in numbers_of(lt, run, "--target_prior same.json")
    assert NO_TEST in numbers_of(lt, run, f"{asked} --calibrated")

    shares.write_text(json.dumps({**SHARES, "1": 1000}))
    assert NO_TEST in numbers_of(lt, run, asked)
    assert lt(f"test {run} {asked} --save_as other").status == 0
    assert results(run)[label] == first
    (second,) = [found for found in results(run) if found.startswith(f"{label}@")]
    share = results(run)[second]["overall"]["acc"]
    assert share != first["overall"]["acc"]
    assert f"accuracy {100 * share:.2f} %" in numbers_of(lt, run, asked)
    assert wanted in numbers_of(lt, run, "--target_prior same.json")
    assert "with other options or values than that of the same name" in lt(f"report {run}").out
    (saved,) = Path("runs").rglob("other/0")
    assert list(results(saved)) == [label]
    assert f"accuracy {100 * share:.2f} %" in numbers_of(lt, saved, "")


@pytest.mark.slow
def test_a_test_with_other_options_is_another_test(lt, place):
    pytest.importorskip("safetensors")
    run = place["copy"]
    asked = "--post_hoc TauNormalization --post_hoc.tau 0.5"
    assert lt(f"test {run} {asked}").status == 0
    assert "then tau_norm_0.5" in numbers_of(lt, run, asked)
    assert NO_TEST in numbers_of(lt, run, f"{asked} --post_hoc.keep_bias true")
    assert NO_TEST in numbers_of(lt, run, asked + "0000001")  # of the same name


@pytest.mark.slow
def test_a_run_is_calibrated_beside_a_calibration_with_other_options(lt, place):
    run = place["copy"]
    assert lt(f"calibrate {run}").status == 0
    file = Path(run) / "results.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["evaluations"]["last+vector_scaling"]["post_hoc"]["decay"] = 1.0
    file.write_text(json.dumps(content))
    answer = lt(f"calibrate {run}")
    assert answer.status == 0, answer.err
    assert len([name for name in results(run) if "vector" in name]) == 2
