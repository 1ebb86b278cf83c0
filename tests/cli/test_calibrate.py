"""`lt calibrate RUN`: both changes fitted on held-out images, before and after in one table."""

import json
from pathlib import Path

import pytest


def test_both_changes_are_tested_and_shown_beside_the_run(lt, place):
    copy = Path(place["copy"])

    answer = lt(f"calibrate {copy}")

    assert answer.status == 0, answer.err
    found = json.loads((copy / "results.json").read_text(encoding="utf-8"))["evaluations"]
    temperature = next(name for name in found if name.startswith("last+temperature_"))
    for label in (temperature, "last+vector_scaling"):
        name = label.partition("+")[2]
        told = found[label]["checkpoint"]["chosen_by"]
        assert told == f"last epoch, then {name}, fitted on held-out images"
    assert found[temperature]["overall"]["acc"] == found["last"]["overall"]["acc"]
    assert found[temperature]["overall"]["nll"] != found["last"]["overall"]["nll"]
    lines = answer.out.splitlines()
    assert lines[0].split() == [
        *("all", "%", "macro", "%", "ECE", "%", "MCE", "%", "NLL", "Brier", "weights"),
    ]
    for line, label in zip(lines[2:5], ("last", temperature, "last+vector_scaling"), strict=True):
        overall = found[label]["overall"]
        numbers = [100 * overall[name] for name in ("acc", "acc_macro", "ece", "mce")]
        more = [f"{overall[name]:.4f}" for name in ("nll", "brier")]
        assert line.split()[:6] == [*(f"{value:.2f}" for value in numbers), *more]


@pytest.mark.slow
def test_a_part_of_the_images_is_calibrated_beside_itself(lt, place):
    """Trap: the test of a part has another name, which the table did not know."""
    answer = lt(
        f"calibrate {place['copy']} --trainer.limit_test_batches 1 --data.eval_batch_size 64"
    )

    assert answer.status == 0, answer.err
    found = json.loads((Path(place["copy"]) / "results.json").read_text())["evaluations"]
    assert "last@64_images" in found
    assert len(answer.out.splitlines()) == 6


def test_another_change_is_refused(lt, place):
    answer = lt(f"calibrate {place['run']} --post_hoc NearestMean")
    assert answer.status == 2
    assert "leave out --post_hoc" in answer.err
