"""The survey's table as Markdown, LaTeX and CSV."""

import csv
import io

import pytest

from lt_lightning.report.survey import survey
from lt_lightning.report.survey_text import comma_separated, latex, markdown


@pytest.fixture
def grid(grid_of, cifar):
    """CE and BBN on two columns of the survey, three seeds, 71 and 80 %, 40 and 45 %."""
    contents = []
    for method, ten, hundred in (("ce", 0.71, 0.40), ("bbn", 0.80, 0.45)):
        for seed, offset in enumerate((-0.01, 0.0, 0.01)):
            contents.append(cifar(10, 100, method=method, accuracy=ten + offset, seed=seed))
            contents.append(cifar(100, 100, method=method, accuracy=hundred + offset, seed=seed))
    return grid_of(*contents)


def rows_of(text):
    """The first table of a Markdown text as lists of cells."""
    text = text[text.index("| method |") :].partition("\n\n")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_columns_are_those_of_the_survey_with_gaps(grid):
    heads, _, ce, bbn = rows_of(markdown(grid))
    assert heads == ["method", "CIFAR-100-LT 100", "CIFAR-100-LT 50", "CIFAR-100-LT 10",
                     "CIFAR-10-LT 100", "CIFAR-10-LT 50", "CIFAR-10-LT 10"]  # fmt: skip
    assert ce[0] == "ce"
    assert bbn[0] == "bbn"
    for row in (ce, bbn):
        assert [row[k] for k in (2, 3, 5, 6)] == ["-"] * 4


def test_our_number_the_published_one_and_the_difference(grid):
    _, _, ce, bbn = rows_of(markdown(grid))
    assert ce[4] == "<u>71.00 ± 1.00</u> (70.36, +0.64)"
    assert bbn[4] == "**80.00 ± 1.00** (79.82, +0.18)"
    assert bbn[1] == "**45.00 ± 1.00** (42.56, +2.44)"


def test_caption_and_sources(grid):
    text = markdown(grid)
    assert "mean ± standard deviation over 3 seeds;" in text
    assert "- BBN: LT-Collections (AikenHong, 2021)" in text
    assert "bilateral ResNet-32, 128 features" in text
    assert "where 47.07 is printed" in text


def test_other_numbers_of_seeds_are_told(grid_of, cifar):
    grid = grid_of(cifar(), cifar(seed=1), cifar(method="bbn", seed=1), cifar(method="mixup"))
    text = markdown(grid)
    assert "one seed, or mean ± standard deviation over n" in text
    rows = {row[0]: row[4] for row in rows_of(text)}
    assert ", n=2" in rows["ce"]
    assert "n=" not in rows["bbn"]


def test_oracle_and_departures_are_numbered_notes(grid_of, cifar):
    grid = grid_of(cifar(epochs=30), cifar(method="classifier_bound", flags=("oracle",)))
    text = markdown(grid)
    rows = {row[0]: row[4] for row in rows_of(text)}
    assert "<sup>1</sup>" in rows["ce"]
    assert "<sup>2</sup>" in rows["classifier_bound"]
    assert "<sup>1</sup> not as published: 30 epochs, not 200" in text
    assert "<sup>2</sup> an oracle" in text
    assert "**" not in text  # alone in its column, and an oracle does not compete


def test_other_data_stand_after_the_survey(grid_of, cifar, results):
    table = survey(grid_of(cifar(), results(method="bbn")))
    assert table.columns[-1] == ("Digits", "50")
    assert len(table.columns) == 7
    assert survey(grid_of(results(method="bbn"))).columns == [("Digits", "50")]


def test_latex_is_a_table_of_equal_rows(grid):
    text = latex(grid)
    assert r"\multicolumn{3}{c}{CIFAR-100-LT} & \multicolumn{3}{c}{CIFAR-10-LT}" in text
    assert r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.count("&") for line in body] == [6, 6]
    assert all(line.endswith(r"\\") for line in body)
    assert r"\textbf{80.00 $\pm$ 1.00} {\scriptsize (79.82, +0.18)}" in body[1]
    assert r"\underline{71.00 $\pm$ 1.00}" in body[0]
    assert text.count("{") == text.count("}")


def test_latex_escapes_names(grid_of, cifar):
    text = latex(grid_of(cifar(method="a_50%_{x}&y")))
    assert r"a\_50\%\_\{x\}\&y" in text


def test_markdown_escapes_names(grid_of, cifar):
    text = markdown(grid_of(cifar(method="a|b<c")))
    assert "| a\\|b&lt;c |" in text


def test_csv_has_every_cell_and_its_numbers(grid):
    rows = list(csv.DictReader(io.StringIO(comma_separated(grid))))
    assert len(rows) == 4
    found = {(row["method"], row["data"]): row for row in rows}
    row = found["bbn", "CIFAR-10-LT"]
    assert (row["ratio"], row["seeds"], row["published"]) == ("100", "3", "79.82")
    assert float(row["all_mean"]) == pytest.approx(80.0)
    assert float(row["all_sd"]) == pytest.approx(1.0)
    assert float(row["difference"]) == pytest.approx(0.18)
    assert float(row["minutes"]) == pytest.approx(11.0)
    assert row["few_mean"] == ""  # CIFAR-10-LT has no few-shot class; never 0
    assert float(found["ce", "CIFAR-100-LT"]["few_mean"]) > 0
