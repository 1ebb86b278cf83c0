"""The size of the networks in the report: columns where runs have it, a note where they differ."""

import csv
import io

import pytest

from lt_lightning.report import load_rows, render
from lt_lightning.report.cell import Grid
from lt_lightning.report.networks import size_note
from lt_lightning.report.page import page
from lt_lightning.report.run import Run
from lt_lightning.report.sizes import millions
from lt_lightning.report.survey_text import comma_separated, markdown

NOTE = "Networks of several sizes, 68.9 M to 1,096 M multiply-adds an image"


@pytest.fixture
def runs(results, write):
    """Return a function that makes runs, each with its parameters and multiply-adds."""

    def make(**sizes):
        found = []
        for name, (parameters, adds) in sizes.items():
            content = results(method=name)
            content["training"]["parameters"] = parameters
            if adds is not None:
                content["training"]["multiply_adds"] = adds
            found.append(Run.read(write(f"{name}/0", content)))
        return found

    return make


def test_numbers_in_words():
    assert [millions(n) for n in (464_154, 68_862_592, 1_096_000_000, None)] == [
        *("0.464 M", "68.9 M", "1,096 M", "")
    ]


def test_a_column_and_a_note_where_networks_differ(runs):
    made = runs(ce=(464_154, 68_862_592), glmc=(7_390_000, 1_096_000_000), bbn=(464_154, None))
    grid = Grid.of(made)
    text = markdown(grid)
    assert "parameters | multiply-adds |" in text
    assert "| 0.464 M | 68.9 M |" in text
    assert "| 0.464 M | - |" in text
    assert NOTE in text
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(comma_separated(grid)))}
    assert [rows[m]["multiply_adds"] for m in ("ce", "glmc", "bbn")] == [
        *("68862592", "1096000000", "")
    ]
    html = page(made)
    assert "multiply-adds</th>" in html
    assert NOTE in html


def test_old_runs_have_no_column_and_one_network_has_no_note(runs):
    made = runs(ce=(464_154, None), bbn=(464_000, None))
    grid = Grid.of(made)
    for text in (markdown(grid), comma_separated(grid), page(made)):
        assert "multiply" not in text
        assert "several sizes" not in text


def test_parameters_of_training_alone_make_no_other_network(runs):
    grid = Grid.of(runs(ce=(464_154, 68_862_592), paco=(940_000, 68_862_592)))
    assert size_note(grid.cells.values()) is None
    grid = Grid.of(runs(ldam=(464_154, None), wide=(7_390_000, None)))
    assert "0.464 M to 7.39 M parameters" in size_note(grid.cells.values())


def test_runs_without_multiply_adds_are_compared_by_their_parameters(runs):
    """Trap: the one run that has multiply-adds is of one size with itself."""
    grid = Grid.of(runs(ce=(464_154, 68_862_592), large=(25_000_000, None)))
    assert "0.464 M to 25 M parameters" in size_note(grid.cells.values())
    grid = Grid.of(runs(cb=(464_154, 68_862_592), bbn=(464_154, None)))
    assert size_note(grid.cells.values()) is None


def test_the_table_of_a_terminal_has_columns_where_networks_differ_else_a_line(runs, tmp_path):
    made = runs(ce=(464_154, 68_862_592), old=(464_154, None), glmc=(7_390_000, 1_096_000_000))
    alike = render(load_rows([run.folder for run in made[:2]]))
    assert alike.splitlines()[-1] == ("Network: 0.464 M parameters, 68.9 M multiply-adds an image.")
    assert "multiply-adds  minutes" not in alike
    apart = render(load_rows([run.folder for run in made])).splitlines()
    assert "parameters  multiply-adds  minutes" in apart[0]
    cells = [[line.split("  ")[0], *line.split()[1:]] for line in apart[2:5]]
    assert [" ".join(line).count(" M ") for line in cells] == [2, 1, 2]
    assert apart[-1].startswith(NOTE)
