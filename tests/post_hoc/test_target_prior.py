"""Prior shift against a loop over images and classes, and which shares a model assumes."""

import copy
import json
import math
import time
from fractions import Fraction

import numpy as np
import pytest
import torch

from lt_lightning.engine.changes import Added
from lt_lightning.engine.class_shares import Drawn, kept
from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead
from lt_lightning.losses import (
    BalancedSoftmax,
    CrossEntropy,
    InverseFrequency,
    LabelOverSmoothing,
    LogitAdjustment,
)
from lt_lightning.methods import BBN, CMO, ERM, PseudoLabel
from lt_lightning.post_hoc import (
    LogitAdjuster,
    MultiplicativeLogitAdjuster,
    TargetPrior,
    TemperatureScaling,
    VectorScalingCalibration,
)
from lt_lightning.post_hoc.finished import changes_of
from lt_lightning.post_hoc.shares_file import in_order, read_shares

COUNTS, NAMES = [90, 30, 6], ["cat", "dog", "owl"]
TARGET = {"dog": 0.2, "owl": 0.7, "cat": 0.1}
UNIFORM = [1 / 3] * 3
TRAINED = [90 / 126, 30 / 126, 6 / 126]


def erm(**options):
    torch.manual_seed(0)
    model = ERM(class_counts=COUNTS, class_names=NAMES, **options).eval()
    model.head.weight.data /= 500  # the statistics of its batch norm are not fitted
    return model


def by_hand(chances, target, assumed):
    """Saerens et al., one image and one class at a time."""
    found = []
    for row in chances.tolist():
        parts = [p * s / a for p, s, a in zip(row, target, assumed, strict=True)]
        found.append([part / sum(parts) for part in parts])
    return torch.tensor(found, dtype=torch.float64)


def shifted(model, *changes):
    """Return probabilities before and after, of the same images."""
    images = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for change, values in changes[:-1]:
            Added(change, values).put(model)
        before = model.predict_logits(images).double().softmax(1)
        Added(*changes[-1]).put(model)
        return before, model.predict_logits(images).double().softmax(1)


WIDE = {"scale": torch.tensor([1.0, 2.0, 0.5]), "bias": torch.tensor([0.0, 1.0, -1.0])}
ASSUMED = {
    "plain": ({}, [], TRAINED),
    "compensated": ({"loss": BalancedSoftmax}, [], UNIFORM),
    "half": (
        {"loss": lambda counts: LogitAdjustment(counts, tau=0.5)},
        [],
        [math.sqrt(count) for count in COUNTS],
    ),
    "weighted": ({"loss": lambda c: CrossEntropy(c, weights=InverseFrequency())}, [], UNIFORM),
    "deferred": ({"deferred_loss": BalancedSoftmax}, [], UNIFORM),
    "adjusted": ({}, [(LogitAdjuster(1.0), {"tau": torch.tensor(1.0)})], UNIFORM),
    "over": (
        {},
        [(LogitAdjuster(2.0), {"tau": torch.tensor(2.0)})],
        [1 / count for count in COUNTS],
    ),
    "times": ({}, [(MultiplicativeLogitAdjuster(0.2), {"tau": torch.tensor(0.2)})], UNIFORM),
    "times 1": ({}, [(MultiplicativeLogitAdjuster(0.0), {"tau": torch.tensor(0.0)})], TRAINED),
    "warm": ({}, [(TemperatureScaling(2.0), {"temperature": torch.tensor(2.0)})], TRAINED),
    "vector": ({}, [(VectorScalingCalibration(), WIDE)], UNIFORM),
}


@pytest.mark.parametrize("name", ASSUMED)
def test_probabilities_are_those_of_a_loop(name):
    options, before, assumed = ASSUMED[name]
    changes = [(copy.copy(change), values) for change, values in before]
    chances, got = shifted(erm(**options), *changes, (TargetPrior(TARGET), None))
    wanted = by_hand(chances, [0.1, 0.2, 0.7], assumed)
    assert torch.allclose(got, wanted, atol=1e-6), (got, wanted)
    assert not torch.allclose(got, chances, atol=1e-3)


def test_the_record_of_its_options_is_plain():
    wanted = {"class": "TargetPrior", "shares": None, "assumed": None}
    assert TargetPrior(TARGET).options() == wanted
    assert TargetPrior("x.csv", "uniform").options() == {
        **wanted,
        "shares": "x.csv",
        "assumed": "uniform",
    }


def test_the_assumed_shares_can_be_said():
    chances, got = shifted(erm(), (TargetPrior(TARGET, assumed="uniform"), None))
    assert torch.allclose(got, by_hand(chances, [0.1, 0.2, 0.7], UNIFORM), atol=1e-6)


def test_a_class_of_share_0_is_never_predicted():
    for alone in NAMES:
        target = {name: float(name == alone) for name in NAMES}
        _, got = shifted(erm(), (TargetPrior(target), None))
        assert got.tolist() == [[float(name == alone) for name in NAMES]] * 5


def test_the_head_of_nearest_means_knows_no_class_sizes():
    model = erm()
    model.head = NearestMeanHead(torch.zeros(0, 64), torch.zeros(0, dtype=torch.int64), 3)
    assert model.log_shares().softmax(0).tolist() == pytest.approx(UNIFORM)


def test_what_was_drawn_and_weighed_is_what_the_outputs_assume():
    for loss in (CrossEntropy, LabelOverSmoothing):  # which takes shares out that it never saw
        model = erm(loss=loss)
        model.drawn = Drawn(UNIFORM)
        assert model.log_shares().softmax(0).tolist() == pytest.approx(UNIFORM)
    model = erm()
    model.drawn = Drawn([0.5, 0.25, 0.25], [1.0, 2.0, 4.0])
    assert model.log_shares().softmax(0).tolist() == pytest.approx([0.25, 0.25, 0.5])


MIXED = {
    "BBN": lambda: BBN(class_counts=COUNTS, class_names=NAMES),
    "CMO": lambda: CMO(class_counts=COUNTS, class_names=NAMES),
    "PseudoLabel": lambda: PseudoLabel(class_counts=COUNTS, class_names=NAMES),
    "ERM": lambda: untold(erm()),
}


def untold(model):
    model.drawn = Drawn(None)
    return model


@pytest.mark.parametrize("name", MIXED)
def test_shares_that_cannot_be_told_are_asked_for(name, caplog):
    change, model = TargetPrior(TARGET), MIXED[name]()
    with pytest.raises(UserError, match=f"this {name} assume cannot be told.*assumed training"):
        Added(change, None).put(model)
    values = {"tau": torch.tensor(1.0)}
    Added(LogitAdjuster(1.0), values).put(model)
    assert "assume cannot be told" in caplog.text
    with pytest.raises(UserError, match="cannot be told"):
        Added(change, None).put(model)
    said = TargetPrior(TARGET, assumed="training").of_model(model)["assumed"]
    assert said.tolist() == pytest.approx(TRAINED)


def test_a_change_after_which_each_class_counts_the_same_needs_no_shares_of_before():
    model = untold(erm())
    Added(VectorScalingCalibration(), WIDE).put(model)
    assert TargetPrior(TARGET).of_model(model)["assumed"].tolist() == pytest.approx(UNIFORM)


def test_runs_of_earlier_versions_are_read_with_what_they_say():
    assert kept({}, uses_unlabelled=True) is kept({}, uses_unlabelled=False) is None
    earlier = {"drawn_shares": UNIFORM}
    assert kept(earlier, uses_unlabelled=False) == Drawn(UNIFORM)
    assert kept(earlier, uses_unlabelled=True) == Drawn(None), "of its labelled images alone"
    for drawn in (Drawn(UNIFORM), Drawn(UNIFORM, [1.0, 2.0, 1.0]), Drawn(None)):
        assert kept(drawn.facts(), uses_unlabelled=True) == drawn


FILES = {
    "a.csv": "class,share\ncat,1\ndog,2\nowl,7\n",
    "plain.csv": "cat;0.1\ndog;0.2\nowl;0.7\n",
    "b.tsv": "cat\t10\n\ndog\t20\nowl\t70\n",
    "c.txt": "cat 1\ndog\t2\nowl  7\n",
    "d.json": json.dumps({"owl": 7, "cat": 1, "dog": 2.0}),
    "e.yaml": "cat: 1.0e-1\ndog: 2e-1\nowl: 0.7\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_is_read(tmp_path, name):
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    shares = read_shares(tmp_path / name)
    assert in_order(shares, NAMES, name) == pytest.approx([0.1, 0.2, 0.7])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", '"Cat",1\n"Cat ",2\n" c",3\n dog ,4\n'),
        ("x.txt", "Cat 1\nCat  2\n c 3\n  dog   4\n"),
        ("x.json", '{"Cat": 1, "Cat ": 2, " c": 3, "dog": 4}'),
    ],
)
def test_blanks_at_the_edge_count_where_they_are_those_of_a_class(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = read_shares(tmp_path / name, ["Cat", "Cat ", " c", "dog"])
    assert found == {"Cat": 1.0, "Cat ": 2.0, " c": 3.0, "dog": 4.0}


def test_the_shares_of_a_model_whose_names_have_blanks_are_read(tmp_path):
    (tmp_path / "x.csv").write_text('"Cat",1\n"Cat ",2\n" c",1\n', encoding="utf-8")
    model = ERM(class_counts=COUNTS, class_names=["Cat", "Cat ", " c"])
    target = TargetPrior(str(tmp_path / "x.csv")).of_model(model)["target"]
    assert target.tolist() == [0.25, 0.5, 0.25]


def test_names_may_be_odd(tmp_path):
    odd = ["a, b", "<b>&", "two\nlines", "日本", "12", "x" * 100, 'say "no"']
    rows = "\n".join(f'"{name.replace(chr(34), chr(34) * 2)}",{k}' for k, name in enumerate(odd))
    (tmp_path / "x.csv").write_text(rows, encoding="utf-8")
    assert read_shares(tmp_path / "x.csv") == {name: float(k) for k, name in enumerate(odd)}
    (tmp_path / "x.yml").write_text("12: 1\n'no': 2\n", encoding="utf-8")
    assert read_shares(tmp_path / "x.yml") == {"12": 1.0, "no": 2.0}


BAD = {
    "cat 1\ndog 2\n": ("x.txt", "has no share for 1 of 3 classes ('owl')"),
    "cat 1\ndog 2\nowl 3\nowk 0\n": ("x.txt", "did you mean 'owl'?"),
    "cat 1\ncat 1\ndog 2\nowl 3\n": ("x.txt", "names the class 'cat' twice"),
    "cat 1\ndog -2\nowl 3\n": ("x.txt", "has the share -2.0 for 'dog'"),
    "cat 1\ndog nan\nowl 3\n": ("x.txt", "has the share nan for 'dog'"),
    "cat 1\ndog inf\nowl 3\n": ("x.txt", "has the share inf for 'dog'"),
    "cat 0\ndog 0\nowl 0\n": ("x.txt", "the share 0 for every class"),
    "cat 1\ndog two\nowl 3\n": ("x.txt", "has 'two' for 'dog', which is no number"),
    "cat\ndog\nowl\n": ("x.txt", "is no name and a number"),
    "": ("x.txt", "has no share for 3 of 3"),
    "cat,1,2\n": ("x.csv", "has 3 cells"),
    '"cat,1\n': ("x.csv", "mend its quotation marks"),
    "[1, 2]": ("x.json", "holds no mapping"),
    '{"cat": 1, "cat": 2}': ("x.json", "stands there twice"),
    '{"cat": NaN}': ("x.json", "NaN is no number"),
    '{"cat": true}': ("x.json", "has 'True' for 'cat'"),
    "no: 1\n": ("x.yaml", "put it in quotation marks"),
    "cat: {a: 1}\n": ("x.yaml", "which is no number"),
    "cat 1 ": ("x.ini", "give a name that ends in"),
}


@pytest.mark.parametrize("content", BAD)
def test_what_is_no_file_of_shares_is_refused(tmp_path, content):
    name, told = BAD[content]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        TargetPrior(str(tmp_path / name)).check(erm())
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_no_shares_are_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        TargetPrior(str(tmp_path / "nowhere.csv")).check(erm())
    with pytest.raises(UserError, match="has no shares"):
        TargetPrior().check(erm())
    for share, told in (("1", "'1'"), (True, "True"), (None, "None"), (torch.tensor(1), "int64")):
        with pytest.raises(UserError, match=rf"has {told}.* for 'cat', which is no number"):
            TargetPrior({"cat": share, "dog": 1, "owl": 1}).check(erm())
    for share in (-1, math.nan, math.inf, np.float32("nan")):
        with pytest.raises(UserError, match=f"has the share {share} for 'cat': give 0 or more"):
            TargetPrior({"cat": share, "dog": 1, "owl": 1}).check(erm())


@pytest.mark.parametrize("number", [np.int8, np.float32, np.float64, Fraction, int])
def test_shares_are_numbers_of_any_kind(number):
    shares = {"cat": number(100), "dog": number(60), "owl": number(40)}
    found = in_order(shares, NAMES, "x")
    assert found == pytest.approx([0.5, 0.3, 0.2])
    assert {type(share) for share in found} == {float}


@pytest.mark.parametrize("shares", [["ab", "cd"], [0.5, 0.5], np.ones(3), torch.ones(3), 0.5])
def test_what_is_neither_a_file_nor_shares_by_name_is_refused(tmp_path, shares):
    with pytest.raises(UserError, match="give a number for each class by its name, or a file of"):
        changes_of(tmp_path, tmp_path / "last.ckpt", None, None, shares)
    with pytest.raises(UserError, match=r"give a change, such as `LogitAdjuster\(\)`"):
        changes_of(tmp_path, tmp_path / "last.ckpt", shares, None)


def test_shares_of_thousands_of_classes_take_no_time():
    names = [f"species {k}" for k in range(8142)]
    start = time.monotonic()
    assert sum(in_order({name: 1 for name in names}, names, "x")) == pytest.approx(1)
    assert time.monotonic() - start < 1
