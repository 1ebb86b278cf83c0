import math

import pytest
import torch
from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.metrics import ClassStats
from lt_lightning.metrics.class_stats import NLL_LIMIT, bin_of

GROUPS = {"many": [0], "medium": [1, 2], "few": [3]}


def logits_of(probabilities):
    return torch.tensor(probabilities, dtype=torch.float64).log()


def random_batch(n=400, classes=7, seed=0, scale=3.0):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, classes, generator=g) * scale
    return logits, torch.randint(0, classes, (n,), generator=g)


def oracle(logits, targets, groups, bins):
    """Slow loops from the definitions, in float64."""
    classes = logits.shape[1]
    hits, images = [0] * classes, [0] * classes
    nll, brier, cells = 0.0, 0.0, [[0, 0, 0.0] for _ in range(bins)]
    first_five, taken = 0, [0] * classes
    for row, y in zip(logits.double().tolist(), targets.tolist(), strict=True):
        top = max(row)
        z = sum(math.exp(v - top) for v in row)
        p = 1 / z
        hit = row.index(top) == y
        images[y] += 1
        taken[row.index(top)] += 1
        first_five += y in sorted(range(classes), key=lambda c: (-row[c], c))[:5]
        hits[y] += hit
        nll += math.log(z) + top - row[y]
        chances = [math.exp(v - top) / z for v in row]
        brier += sum((q - (c == y)) ** 2 for c, q in enumerate(chances))
        b = min(max(math.ceil(p * bins) - 1, 0), bins - 1)
        cells[b][0] += 1
        cells[b][1] += hit
        cells[b][2] += p
    n = len(targets)
    acc = {c: hits[c] / images[c] for c in range(classes) if images[c]}
    out = {"acc": sum(hits) / n, "acc_macro": sum(acc.values()) / len(acc)}
    for group, members in groups.items():
        have = [acc[c] for c in members if c in acc]
        if have:
            out[f"acc_{group}"] = sum(have) / len(have)
    out["acc_worst"] = min(acc.values())
    if classes > 5:
        out["acc_top5"] = first_five / n
    out["f1_macro"] = sum(f1_of(c, images, hits, taken) for c in acc) / len(acc)
    out["nll"] = nll / n
    out["ece"] = sum(abs(h - c) for _, h, c in cells) / n
    out["mce"] = max(abs(h - c) / k for k, h, c in cells if k)
    out["brier"] = brier / n
    return out


def f1_of(c, images, hits, taken):
    """The harmonic mean of precision and recall, 0 where either is 0 or not defined."""
    if not hits[c]:
        return 0.0
    precision, recall = hits[c] / taken[c], hits[c] / images[c]
    return 2 * precision * recall / (precision + recall)


def test_a_class_without_images_or_without_predictions_has_no_number():
    #                   class 0 has no image but is predicted, class 3 is never predicted
    predicted, targets = [0, 1, 2, 2], [1, 1, 2, 3]
    stats = ClassStats(4)
    stats.update(20 * torch.eye(4)[predicted], torch.tensor(targets))
    found = stats.per_class()
    assert found["predicted"].tolist() == [1, 1, 2, 0]
    nan = math.nan
    wanted = {
        "accuracy": [nan, 1 / 2, 1, 0],
        "precision": [0, 1, 1 / 2, nan],
        "f1": [nan, 2 / 3, 2 / 3, 0],
    }
    for name, values in wanted.items():
        assert found[name].tolist() == pytest.approx(values, nan_ok=True), name
    assert stats.compute()["f1_macro"] == pytest.approx(4 / 9)


def test_five_first_of_equal_logits_and_none_of_what_is_not_finite():
    logits = torch.zeros(4, 6)
    logits[2, 0] = math.nan
    logits[3, 1:] = -math.inf
    stats = ClassStats(6)
    stats.update(logits, torch.tensor([4, 5, 0, 1]))
    assert stats.compute()["acc_top5"] == 1 / 4  # the fifth of equals, no other
    assert stats.per_class()["predicted"].tolist() == [3, 0, 0, 0, 0, 0]
    two = ClassStats(2)
    two.update(torch.zeros(1, 2), torch.tensor([1]))
    assert "acc_top5" not in two.compute()


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_against_slow_loops(bins):
    logits, targets = random_batch()
    targets[targets == 5] = 4  # no image of class 5
    groups = {"many": [0, 1], "medium": [2, 3, 5], "few": [5], "tail": [6]}
    stats = ClassStats(7, groups=groups, bins=bins)
    stats.update(logits, targets)
    values, expected = stats.compute(), oracle(logits, targets, groups, bins)
    assert list(values) == list(expected)
    assert "acc_few" not in values
    for name, value in values.items():
        assert value == pytest.approx(expected[name], abs=1e-6), name


def test_hand_made_accuracies():
    stats = ClassStats(4, groups=GROUPS)
    #           class 0: 2 of 4       class 1: 1 of 1   class 2: 0 of 1   class 3: no image
    predicted, targets = [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 2]
    stats.update(20 * torch.eye(4)[predicted], torch.tensor(targets))
    values = stats.compute()
    assert values["acc"] == 3 / 6
    assert values["acc_macro"] == 0.5
    assert values["acc_many"] == 0.5
    assert values["acc_medium"] == 0.5
    assert values["acc_worst"] == 0.0
    assert "acc_few" not in values


def test_hand_made_calibration():
    # bin 10 (10/15, 11/15]: 0.7 right, 0.7 wrong; bin 13 (13/15, 14/15]: 0.9 right.
    stats = ClassStats(2, groups={})
    stats.update(logits_of([[0.7, 0.3], [0.7, 0.3], [0.9, 0.1]]), torch.tensor([0, 1, 0]))
    values = stats.compute()
    assert values["ece"] == pytest.approx((abs(1 - 1.4) + abs(1 - 0.9)) / 3, abs=1e-12)
    assert values["mce"] == pytest.approx(0.2, abs=1e-12)
    nll = -(math.log(0.7) + math.log(0.3) + math.log(0.9)) / 3
    assert values["nll"] == pytest.approx(nll, abs=1e-7)
    table = stats.reliability()
    assert table["total"].tolist() == [0] * 10 + [2, 0, 0, 1, 0]
    assert table["correct"].tolist() == [0] * 10 + [1, 0, 0, 1, 0]
    assert table["accuracy"][[10, 13]].tolist() == [0.5, 1.0]
    assert table["confidence"][10].item() == pytest.approx(0.7, abs=1e-12)
    assert table["accuracy"].isnan().tolist() == [total == 0 for total in table["total"].tolist()]
    assert table["edges"].tolist() == [k / 15 for k in range(16)]


def test_confidence_one_is_in_the_last_bin_with_the_rest():
    # torchmetrics puts confidences of exactly 1 in a bin of their own and gets 0.525 here.
    stats = ClassStats(2, groups={})
    stats.update(
        torch.tensor([[200.0, 0.0], [math.log(0.95), math.log(0.05)]]), torch.tensor([1, 0])
    )
    assert stats.reliability()["total"].tolist() == [0] * 14 + [2]
    assert stats.compute()["ece"] == pytest.approx(0.475, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bins", [5, 10, 15, 20])
def test_right_edges_belong_to_their_bin(bins, dtype):
    edges = torch.arange(bins + 1, dtype=dtype) / bins
    assert bin_of(edges, bins).tolist() == [0, *range(bins)]
    above = edges[:-1] + 1e-6
    assert bin_of(above, bins).tolist() == list(range(bins))
    too_much = torch.tensor([1.0 + 1e-6], dtype=dtype)
    assert bin_of(too_much, bins).tolist() == [bins - 1]


def test_a_confidence_on_an_edge_is_counted_below_it():
    stats = ClassStats(2, groups={}, bins=2)
    stats.update(torch.zeros(1, 2), torch.tensor([0]))  # confidence 1/2
    assert stats.reliability()["total"].tolist() == [1, 0]


def test_per_class():
    stats = ClassStats(3, groups={})
    stats.update(logits_of([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]), torch.tensor([0, 0]))
    table = stats.per_class()
    assert table["total"].tolist() == [2, 0, 0]
    assert table["correct"].tolist() == [1, 0, 0]
    assert table["accuracy"][0] == 0.5
    assert table["nll"][0].item() == pytest.approx(1.5 * math.log(2), abs=1e-7)
    assert table["accuracy"][1:].isnan().all()
    assert table["nll"][1:].isnan().all()


def test_nothing_counted_gives_nothing():
    stats = ClassStats(4, groups=GROUPS)
    assert stats.compute() == {}
    stats.update(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert stats.compute() == {}
    stats.update(torch.zeros(1, 4), torch.tensor([0]))
    assert stats.compute()["acc"] == 1.0
    stats.reset()
    assert stats.compute() == {}


def state(stats):
    return {name: value.tolist() for name, value in stats.metric_state.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_same_bits_for_any_order_and_split(dtype):
    logits, targets = random_batch(n=1000, classes=33)
    logits = logits.to(dtype)
    whole = ClassStats(33, groups={"many": list(range(33))})
    whole.update(logits, targets)
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(1))
    parts = ClassStats(33, groups={"many": list(range(33))})
    for part in order.split(37):
        parts.update(logits[part], targets[part])
    assert state(parts) == state(whole)
    assert parts.compute() == whole.compute()


def test_bfloat16_logits_get_float32_probabilities():
    logits, targets = random_batch()
    narrow, wide = ClassStats(7, groups={}), ClassStats(7, groups={})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        narrow.update(logits.bfloat16(), targets)
    wide.update(logits.bfloat16().float(), targets)
    assert state(narrow) == state(wide)


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.stats = ClassStats(7, groups={})


@pytest.mark.parametrize(
    "convert",
    [
        lambda m: m.half(),
        lambda m: m.to(torch.bfloat16),
        lambda m: m.double(),
        lambda m: (m.stats.set_dtype(torch.float16), m)[1],
        lambda m: m.to("cpu"),
    ],
)
def test_counts_stay_int64(convert):
    logits, targets = random_batch()
    holder = Holder()
    holder.stats.update(logits, targets)
    before = state(holder.stats)
    holder = convert(holder)
    assert state(holder.stats) == before
    holder.stats.update(logits, targets)
    assert {value.dtype for value in holder.stats.metric_state.values()} == {torch.int64}


def test_states_move_with_the_module():
    holder = Holder().to("meta")
    assert {value.device.type for value in holder.stats.metric_state.values()} == {"meta"}


def test_counts_are_not_in_checkpoints():
    assert Holder().state_dict() == {}


def test_works_in_and_out_of_inference_mode():
    logits, targets = random_batch()
    stats = ClassStats(7, groups={})
    with torch.inference_mode():
        stats.update(logits, targets)
        stats.reset()
        stats.update(logits, targets)
    stats.update(logits, targets)
    assert int(stats.total.sum()) == 800


def test_nan_logits_are_misses_without_confidence():
    stats = ClassStats(2, groups={})
    stats.update(torch.tensor([[math.nan, math.nan], [math.inf, 0.0]]), torch.tensor([0, 0]))
    values = stats.compute()
    assert values["acc"] == 0.0
    assert values["nll"] == NLL_LIMIT
    assert values["ece"] == 0.0
    assert values["brier"] == 2.0


@pytest.mark.parametrize(
    ("chances", "brier"),
    [([1.0, 0.0, 0.0], 0.0), ([0.0, 1.0, 0.0], 2.0), ([0.5, 0.25, 0.25], 0.375)],
)
def test_brier_score_by_hand(chances, brier):
    stats = ClassStats(3, groups={})
    stats.update(torch.tensor([chances]).log(), torch.tensor([0]))
    assert stats.compute()["brier"] == pytest.approx(brier, abs=1e-6)


def test_nll_is_limited():
    stats = ClassStats(2, groups={})
    stats.update(torch.tensor([[0.0, -math.inf], [0.0, -1e30]]), torch.tensor([1, 1]))
    assert stats.compute()["nll"] == NLL_LIMIT


@pytest.mark.parametrize(
    ("shape", "targets"), [((3, 6), (3,)), ((3, 7), (2,)), ((7,), (7,)), ((3, 7), (3, 1))]
)
def test_wrong_shapes_are_refused(shape, targets):
    with pytest.raises(UserError, match=r"give \(N, 7\) and \(N,\)"):
        ClassStats(7, groups={}).update(torch.zeros(shape), torch.zeros(targets).long())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0, "groups": {}}, "num_classes is 0"),
        ({"num_classes": 2, "groups": {}, "bins": 0}, "bins is 0"),
        ({"num_classes": 2, "groups": {"few": [0, 2]}}, r"group few holds the classes \[2\]"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        ClassStats(**arguments)


def test_probabilities_are_taken_only_where_told_so():
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(200, 4), torch.randint(4, (200,))
    plain, told = ClassStats(4), ClassStats(4, probabilities=True)
    plain.update(logits, targets)
    told.update(logits.double().softmax(1), targets)
    assert told.compute() == pytest.approx(plain.compute(), abs=1e-6)
    with pytest.raises(UserError, match="give the outputs before softmax; ClassStats takes"):
        ClassStats(4).update(logits.softmax(1), targets)
    with pytest.raises(UserError, match="The rows are no probabilities"):
        ClassStats(4, probabilities=True).update(logits, targets)
    ClassStats(1).update(torch.ones(3, 1), torch.zeros(3, dtype=torch.int64))


def test_a_probability_of_zero_for_the_target_is_a_miss_and_finite():
    stats = ClassStats(2, probabilities=True)
    stats.update(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1, 1]))
    values = stats.compute()
    assert values["acc"] == 0.5
    assert all(math.isfinite(value) for value in values.values())
