"""Each loss against a slow loop over images and classes, written from its equation."""

import math
import re

import pytest
import torch

from lt_lightning.losses import (
    AdjustmentDelta,
    BalancedGroupSoftmax,
    EqualizedDelta,
    InfluenceBalanced,
    LabelSmoothing,
    Loss,
    MarginDelta,
    SigmoidFocal,
)


def probabilities(z):
    top = max(z)
    powers = [math.exp(v - top) for v in z]
    return [p / sum(powers) for p in powers]


def nll_of(z, y):
    return -math.log(probabilities(z)[y])


def against(q, z):
    """The cross-entropy of the target distribution q."""
    return -sum(a * math.log(p) for a, p in zip(q, probabilities(z), strict=True))


def cross_entropy(s, n, z, y, h):
    return nll_of(z, y)


def logit_adjustment(s, n, z, y, h):
    prior = [c / sum(n) for c in n]
    return nll_of([v + s.get("tau", 1.0) * math.log(p) for v, p in zip(z, prior, strict=True)], y)


def balanced_softmax(s, n, z, y, h):
    powers = [c * math.exp(v) for c, v in zip(n, z, strict=True)]
    return -math.log(powers[y] / sum(powers))


def vector_scaling(s, n, z, y, h):
    gamma, tau = s.get("gamma", 0.3), s.get("tau", 1.0)
    scaled = []
    for c, v in zip(n, z, strict=True):
        slow_down = (max(n) / c) ** gamma
        scaled.append(v / slow_down + tau * math.log(c / sum(n)))
    return nll_of(scaled, y)


def cdt(s, n, z, y, h):
    return nll_of([v / (max(n) / c) ** 0.2 for c, v in zip(n, z, strict=True)], y)


def margin_of(n, y, largest):
    """K / n^(1/4) with K such that the rarest class has the largest margin."""
    k = largest * min(n) ** 0.25
    return k / n[y] ** 0.25


def ldam(s, n, z, y, h):
    scale = s.get("scale", 30.0)
    cosines = [v / scale for v in z]
    cosines[y] -= margin_of(n, y, s.get("max_margin", 0.5))
    return nll_of([scale * v for v in cosines], y)


def ala(s, n, z, y, h):
    scale = s.get("scale", 30.0)
    cosines = [v / scale for v in z]
    quantity = math.log(2) / math.log(n[y] / min(n) + 1)
    difficulty = (1 - cosines[y]) / 2
    cosines[y] -= quantity * difficulty
    return nll_of([scale * v for v in cosines], y)


def softmax_focal(s, n, z, y, h):
    p = probabilities(z)[y]
    return s.get("alpha", 1.0) * (1 - p) ** s.get("gamma", 2.0) * -math.log(p)


def sigmoid_focal(s, n, z, y, h):
    total = 0.0
    for j, v in enumerate(z):
        p = 1 / (1 + math.exp(-v))
        pt = p if j == y else 1 - p
        alpha = s.get("alpha")
        share = 1.0 if alpha is None else alpha if j == y else 1 - alpha
        total -= share * (1 - pt) ** s.get("gamma", 2.0) * math.log(pt)
    return total


def smoothed(z, y, eps, spread):
    others = eps / len(z) if spread == "all" else eps / (len(z) - 1)
    q = [others] * len(z)
    q[y] = 1 - eps + eps / len(z) if spread == "all" else 1 - eps
    assert sum(q) == pytest.approx(1)
    return against(q, z)


def label_smoothing(s, n, z, y, h):
    return smoothed(z, y, s.get("eps", 0.1), s.get("spread", "all"))


def label_over_smoothing(s, n, z, y, h):
    delta = s.get("delta", 0.98)
    q = [delta / len(z)] * len(z)
    q[y] += 1 - delta
    return against(q, z)


def label_aware_smoothing(s, n, z, y, h):
    # by default the published values of 10 classes, ratio 100: the nearest to 6 classes, ratio 500
    head, tail = s.get("eps_head", 0.3), s.get("eps_tail", 0.0)
    r = (n[y] - min(n)) / (max(n) - min(n))
    eps = {
        "concave": tail + (head - tail) * math.sin(math.pi * r / 2),
        "linear": tail + (head - tail) * r,
        "convex": head + (head - tail) * math.sin(3 * math.pi / 2 + math.pi * r / 2),
        "exp": tail + (head - tail) * r ** s.get("power", 2.0),
    }[s.get("form", "concave")]
    return smoothed(z, y, eps, s.get("spread", "all"))


def delta_of(rule, n, y, rival):
    if isinstance(rule, AdjustmentDelta):
        return rule.tau * math.log(n[rival] / n[y])
    if isinstance(rule, MarginDelta):
        return rule.scale * margin_of(n, y, rule.max_margin)
    assert isinstance(rule, EqualizedDelta)
    rare = n[rival] / sum(n) < rule.threshold
    factor = 1 - rule.gamma if rare else 1.0
    return math.log(factor) if factor else -math.inf


def pairwise(s, n, z, y, h):
    rule = s.get("delta", AdjustmentDelta())
    rivals = [j for j in range(len(z)) if j != y]
    return math.log(1 + sum(math.exp(delta_of(rule, n, y, j) + z[j] - z[y]) for j in rivals))


def influence_balanced(s, n, z, y, h):
    """The divisor is the L1 norm of the gradient of the classifier's matrix."""
    influence = 0.0
    for c, p in enumerate(probabilities(z)):
        for feature in h:
            influence += abs((p - (c == y)) * feature)
    return s.get("alpha", 1000.0) * nll_of(z, y) / (influence + s.get("eps", 1e-3))


# an image's part depends on its batch: see its own test file
OF_THE_BATCH = {BalancedGroupSoftmax}


def oracle_of(loss):
    """The function of this file with the name of the loss, LogitAdjustment: logit_adjustment."""
    return globals().get(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", loss.__name__).lower())


def test_every_public_loss_has_an_oracle(public_classes):
    without = {loss for loss in public_classes(Loss) if oracle_of(loss) is None}
    assert without == OF_THE_BATCH


def test_value_of_each_image_is_that_of_the_equation(case, counts):
    oracle = oracle_of(case.loss)
    if case.loss in OF_THE_BATCH:
        pytest.skip("an image's part depends on its batch: see its own test file")
    loss, batch = case.build().double(), case.batch(40, dtype=torch.float64)
    assert set(batch.targets.tolist()) == set(range(6))
    rows = zip(batch.logits.tolist(), batch.targets.tolist(), batch.features.tolist(), strict=True)
    expected = [oracle(case.settings, counts.tolist(), z, y, h) for z, y, h in rows]
    got = case.per_sample(loss, batch).tolist()
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_influence_weights_of_the_authors_and_division_by_the_images(make_case, counts):
    case = make_case(InfluenceBalanced)
    batch = case.batch()
    inverse = [1 / c for c in counts.tolist()]
    weights = [6 * w / sum(inverse) for w in inverse]
    rows = zip(batch.logits.tolist(), batch.targets.tolist(), batch.features.tolist(), strict=True)
    expected = sum(weights[y] * influence_balanced({}, None, z, y, h) for z, y, h in rows)
    assert case.value(case.build(), batch).item() == pytest.approx(expected / len(batch), rel=1e-5)


def test_label_smoothing_is_that_of_pytorch(make_case):
    batch = make_case(LabelSmoothing).batch()
    loss = LabelSmoothing(torch.ones(6, dtype=torch.int64), eps=0.2)
    expected = torch.nn.functional.cross_entropy(batch.logits, batch.targets, label_smoothing=0.2)
    torch.testing.assert_close(loss(batch.logits, batch.targets), expected)


def test_sigmoid_focal_is_that_of_torchvision_summed_over_classes(make_case, counts):
    from torchvision.ops import sigmoid_focal_loss

    batch = make_case(SigmoidFocal).batch()
    one_hot = torch.nn.functional.one_hot(batch.targets, 6).float()
    for gamma, alpha in ((2.0, 0.25), (1.5, None)):
        theirs = sigmoid_focal_loss(
            batch.logits, one_hot, alpha=-1 if alpha is None else alpha, gamma=gamma
        )
        ours = SigmoidFocal(counts, gamma=gamma, alpha=alpha)(batch.logits, batch.targets)
        torch.testing.assert_close(ours, theirs.sum(1).mean())
