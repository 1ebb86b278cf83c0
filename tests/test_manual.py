"""The pages of the manual that are made from docstrings, configs and results."""

import json
import re

import pytest

from manual import equations, measured, pages, source


@pytest.mark.parametrize("path", pages.CONFIGS, ids=[path.stem for path in pages.CONFIGS])
def test_page_of_a_method_has_all_its_parts(path):
    text = pages.method_page(path)
    for part in ("How a batch flows", "What it computes", "Config", "Measured", "Published"):
        assert f"\n## {part}" in text
    computes = text.split("## What it computes")[1].split("## Run it")[0]
    assert "*Paper: " in computes
    assert text.count("\n- Published") == 1


def test_numbers_of_a_page_are_those_of_its_run():
    page = pages.page("methods/ldam_drw.md")
    file = measured.RESULTS / "cifar10_lt_100_ldam_schedule" / "ldam_drw" / "results.json"
    overall = json.loads(file.read_text("utf-8"))["evaluations"]["last"]["overall"]
    assert f"| ldam_drw | 30 | {100 * overall['acc_macro']:.1f} |" in page
    assert "| CIFAR-10-LT | 100 | 77.03 |" in page
    assert "| CIFAR-10-LT | 100 | 72.7 |" in pages.page("methods/tau_norm.md")
    assert "| CIFAR-10-LT | 100 | 72.7 |" not in pages.page("methods/ce.md")


def test_accuracy_on_skewed_images_weighs_classes_by_their_size():
    classes = [
        {"training_images": 90, "accuracy": 1.0},
        {"training_images": 10, "accuracy": 0.5},
    ]
    assert measured._as_skewed(classes) == pytest.approx(0.95)


def test_a_run_that_is_missing_stops_the_build():
    with pytest.raises(KeyError):
        measured.chosen("cross-entropy: no_such/run")


def test_every_class_with_a_paper_is_in_the_table():
    text = pages.page("methods/index.md")
    named = [one for section in source.SECTIONS for one in source.public(section) if one.paper]
    assert len(named) > 80
    for one in named:
        assert f"#lt_lightning.{one.section}.{one.name})" in text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("l_i = CE(z_i + tau log(n / N), y_i).", "l_{i} = CE(z_{i} + τ log(n / N), y_{i})."),
        ("m_c = max_margin (n_min / n_c)^(1/4).", "m_{c} = max_margin (n_{min} / n_{c})^{1/4}."),
        ("z = x w~^T, w~_c = w_c / ||w_c||^tau", "z = x w̃^{T}, w̃_{c} = w_{c} / ‖w_{c}‖^{τ}"),
        ("L = -1 / N sum_{j in P_i} p_j", "L = −1 / N ∑_{j ∈ P_{i}} p_{j}"),
    ],
)
def test_formula(written, shown):
    ((formula,), prose) = equations.split(written)
    html = re.sub(r"</?i>", "", equations.block(formula))
    html = html.replace("<sub>", "_{").replace("<sup>", "^{")
    assert re.sub(r"</su[bp]>", "}", html) == f'<p class="equation">{shown}</p>'
    assert prose == ""


def test_sentence_after_a_formula_is_prose():
    formulas, prose = equations.split("l = CE(z_i, y_i). gamma = 0 is cross-entropy.")
    assert formulas == ["l = CE(z_i, y_i)."]
    assert prose == "gamma = 0 is cross-entropy."
    assert equations.inline("see feature_loss and `a_b`") == "see feature\\_loss and `a_b`"
