"""What becomes of the results of a run whose training goes on."""

import copy
import json

import pytest
from minimal_results import minimal

from lt_lightning.runs.finished import reopen
from lt_lightning.runs.results import FILE_NAME, write_results


@pytest.fixture
def run(tmp_path):
    """Return a function that writes results of those names, and a figure of each."""

    def make(*names, **training):
        content = minimal()
        (one,) = content["evaluations"].values()
        content["evaluations"] = {name: copy.deepcopy(one) for name in names}
        content["training"] |= training
        write_results(tmp_path, content)
        for name in (*names, "mine"):
            (tmp_path / f"confusion_{name}.png").write_bytes(name.encode())
        if len(names) > 1:
            (tmp_path / "reliability_side_by_side.png").write_bytes(b"all")
        return tmp_path

    return make


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_results_and_figures_of_other_weights_go_aside(run):
    """Trap: the figures of a change after training stayed, of weights that were trained on.

    Trap: so did the figure that compares them with the others.
    """
    folder = run("last", "last+tau_norm_0.5", "stage1", steps=27)
    before = (folder / FILE_NAME).read_bytes()
    reopen(folder, 30)
    assert files(folder) == [
        "confusion_last+tau_norm_0.5_27_steps.png",
        "confusion_last_27_steps.png",
        "confusion_mine.png",
        "confusion_stage1.png",
        "reliability_side_by_side_27_steps.png",
        "results_27_steps.json",
    ]
    assert (folder / "results_27_steps.json").read_bytes() == before
    reopen(folder, 30)  # nothing is left to be set aside


def test_results_that_do_not_tell_their_step_have_that_of_the_run(run):
    folder = run("last")
    reopen(folder, 30)
    assert "results_30_steps.json" in files(folder)


def test_results_of_the_first_stage_alone_stay(run):
    folder = run("stage1", steps=27)
    before = files(folder)
    reopen(folder, 30)
    assert files(folder) == before
    assert list(json.loads((folder / FILE_NAME).read_text())["evaluations"]) == ["stage1"]
