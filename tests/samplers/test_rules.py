"""Contracts that every sampling rule keeps; a new rule without an entry here fails."""

import inspect
import random
import resource
import sys
import time

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from lt_lightning import samplers
from lt_lightning.errors import UserError
from lt_lightning.samplers import (
    ClassAware,
    ClassBalanced,
    ClassIndex,
    EffectiveNumberBalanced,
    EpochSampler,
    InstanceBalanced,
    OverSampling,
    Power,
    ProgressivelyBalanced,
    Reversed,
    SamplingRule,
    SquareRoot,
    StepSwitch,
    UnderSampling,
    WithAdded,
)
from lt_lightning.testing import check_sampling_rule

COUNTS = [60, 25, 10, 4, 1]
N, C, EPOCHS = sum(COUNTS), len(COUNTS), 11
# Labels in no order, so that an index into the sorted images is not an image index.
LABELS = torch.tensor([c for c, n in enumerate(COUNTS) for _ in range(n)])[
    torch.randperm(N, generator=torch.Generator().manual_seed(1))
]


def _power(q):
    return [n**q / sum(m**q for m in COUNTS) for n in COUNTS]


def _effective(beta):
    weights = [n * (1 - beta) / (1 - beta**n) for n in COUNTS]
    return [w / sum(weights) for w in weights]


def _mix(t):
    return [(1 - t) * a + t * b for a, b in zip(_power(1), _power(0), strict=True)]


UNIFORM = [1 / C] * C
# rule -> (epoch -> shares written from the equation)
EXPECTED = {
    InstanceBalanced(): {0: _power(1), 5: _power(1)},
    Power(0.3): {0: _power(0.3)},
    Power(-1.0): {0: _power(-1)},
    ClassBalanced(): {0: UNIFORM},
    SquareRoot(): {0: _power(0.5)},
    Reversed(): {0: _power(-1)},
    EffectiveNumberBalanced(0.9): {0: _effective(0.9)},
    EffectiveNumberBalanced(0.0): {0: _power(1)},
    EffectiveNumberBalanced(None): {0: _effective(0.9999)},  # that of 10 classes, the nearest to 5
    ProgressivelyBalanced(): {0: _power(1), 5: _mix(0.5), 10: UNIFORM},
    ProgressivelyBalanced("counting_from_one"): {0: _mix(1 / 11), 10: UNIFORM},
    ProgressivelyBalanced("counting_from_zero"): {0: _power(1), 10: _mix(10 / 11)},
    StepSwitch(0.8): {0: _power(1), 8: _power(1), 9: UNIFORM},
    StepSwitch(3, SquareRoot(), Reversed()): {2: _power(0.5), 3: _power(-1)},
    OverSampling(): {0: UNIFORM},
    UnderSampling(): {0: UNIFORM},
    UnderSampling(redraw=False): {3: UNIFORM},
    OverSampling(keep_epoch=True): {0: UNIFORM},
    ClassAware(): {0: UNIFORM},
    ClassAware(1): {0: UNIFORM},
    WithAdded(): {0: UNIFORM},
    WithAdded(SquareRoot()): {0: _power(0.5)},
}
RULES = list(EXPECTED)
IDS = [f"{type(rule).__name__}-{k}" for k, rule in enumerate(RULES)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=IDS)


def sampler(rule, epoch=0, **kwargs):
    made = EpochSampler(rule, LABELS, num_classes=C, max_epochs=EPOCHS, **kwargs)
    made.set_epoch(epoch)
    return made


@pytest.mark.parametrize("first", [InstanceBalanced(), UnderSampling(redraw=False)])
@pytest.mark.parametrize("second", [InstanceBalanced(), UnderSampling(redraw=False, seed=1)])
def test_a_switch_leaves_out_what_both_of_its_rules_do(first, second):
    switch = StepSwitch(3, first, second)
    drawn = {i for epoch in range(EPOCHS) for i in sampler(switch, epoch).global_indices().tolist()}
    assert (len(drawn) < N) == switch.leaves_images_out
    assert switch.leaves_images_out == (type(first) is type(second) is UnderSampling)


def test_no_rule_is_forgotten():
    public = {
        item
        for name in samplers.__all__
        if inspect.isclass(item := getattr(samplers, name))
        and issubclass(item, SamplingRule)
        and not inspect.isabstract(item)
    }
    assert public == {type(rule) for rule in RULES}


@every_rule
def test_shares_are_those_of_the_equation(rule):
    for epoch, shares in EXPECTED[rule].items():
        got = rule.class_probabilities(torch.tensor(COUNTS), epoch, EPOCHS)
        assert got.dtype == torch.float64
        assert got.tolist() == pytest.approx(shares, abs=1e-12)


@every_rule
def test_contract(rule):
    check_sampling_rule(rule)


@every_rule
def test_drawn_classes_follow_the_shares(rule):
    for epoch in EXPECTED[rule]:
        drawn = torch.cat(
            [sampler(rule, epoch, seed=s, num_samples=2000).global_indices() for s in range(3)]
        )
        counts = np.bincount(LABELS[drawn].numpy(), minlength=C)
        expected = rule.class_probabilities(torch.tensor(COUNTS), epoch, EPOCHS).numpy() * 6000
        assert chisquare(counts, expected).pvalue > 1e-4
        assert abs(counts - expected).max() < 0.03 * 6000


@every_rule
def test_images_of_a_class_are_equally_likely(rule):
    if isinstance(rule, UnderSampling) and not rule.redraw:
        pytest.skip("keeps the same images on purpose")
    seen = np.zeros(N)
    # Under-sampling repeats its few images in a longer epoch: no independent draws.
    seeds, size = (600, None) if isinstance(rule, UnderSampling) else (40, 500)
    for seed in range(seeds):
        drawn = sampler(rule, 9, seed=seed, num_samples=size)
        seen += np.bincount(list(drawn), minlength=N)
    members = ClassIndex(LABELS, C).members(1).numpy()
    assert (LABELS[members] == 1).all()
    assert chisquare(seen[members]).pvalue > 1e-4


@every_rule
def test_draw_is_a_function_of_seed_stream_and_epoch(rule):
    first = list(sampler(rule, 2, seed=1, stream=1))
    torch.manual_seed(9)
    random.seed(9)
    before = torch.get_rng_state(), random.getstate()
    assert list(sampler(rule, 2, seed=1, stream=1)) == first
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    if len(set(first)) > 5:
        assert list(sampler(rule, 2, seed=2, stream=1)) != first
        assert list(sampler(rule, 2, seed=1, stream=0)) != first
        assert list(sampler(rule, 1, seed=1, stream=1)) != first


@every_rule
@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_one_global_draw(rule, world):
    whole = sampler(rule, 4).global_indices().tolist()
    parts = [list(sampler(rule, 4, num_replicas=world, rank=r)) for r in range(world)]
    assert all(len(part) == len(sampler(rule, 4, num_replicas=world)) for part in parts)
    dealt = [image for turn in zip(*parts, strict=True) for image in turn]
    assert dealt[: len(whole)] == whole
    assert dealt[len(whole) :] == whole[: len(dealt) - len(whole)]


@every_rule
def test_epoch_length_and_resume(rule):
    made = sampler(rule, 6)
    assert len(list(made)) == len(made) == rule.epoch_length(made.index)
    assert len(list(sampler(rule, num_samples=37))) == 37
    again = sampler(rule)
    again.load_state_dict(made.state_dict())
    assert list(again) == list(made)


def test_epoch_lengths():
    index = ClassIndex(LABELS, C)
    assert OverSampling().epoch_length(index) == 5 * 60
    assert UnderSampling().epoch_length(index) == 5 * 1
    assert OverSampling(keep_epoch=True).epoch_length(index) == N
    assert UnderSampling(keep_epoch=True).epoch_length(index) == N
    assert ClassAware().epoch_length(index) == Reversed().epoch_length(index) == N


def test_instance_balanced_takes_every_image_once():
    assert sorted(sampler(InstanceBalanced())) == list(range(N))


def test_over_sampling_repeats_evenly():
    times = np.bincount(list(sampler(OverSampling())), minlength=N)
    for c, n in enumerate(COUNTS):
        of_class = times[(LABELS == c).numpy()]
        assert of_class.sum() == 60
        assert set(of_class) <= {60 // n, -(-60 // n)}


def test_under_sampling_redrawn_and_fixed():
    fixed = [sorted(sampler(UnderSampling(redraw=False), e)) for e in (0, 7)]
    assert fixed[0] == fixed[1]
    redrawn = {tuple(sorted(sampler(UnderSampling(), e))) for e in range(5)}
    assert len(redrawn) > 1
    assert sorted(LABELS[list(sampler(UnderSampling()))].tolist()) == list(range(C))


def test_class_aware_gives_runs_of_k_and_cycles():
    drawn = torch.tensor(list(sampler(ClassAware(3), num_samples=15 * 8 - 1)))
    classes = LABELS[drawn]
    assert (classes[:117].view(-1, 3) == classes[:117].view(-1, 3)[:, :1]).all()
    for turn in range(0, 24, C):
        assert sorted(classes[3 * turn : 3 * (turn + C) : 3].tolist()) == list(range(C))
    # Class 1 has 25 images: no image comes again before all were used.
    of_one = drawn[classes == 1][:24].tolist()
    assert len(set(of_one)) == 24


def test_progressive_endpoints_are_pure():
    rule, counts = ProgressivelyBalanced(), torch.tensor(COUNTS)
    for epoch, pure in ((0, InstanceBalanced()), (EPOCHS - 1, ClassBalanced())):
        got = rule.class_probabilities(counts, epoch, EPOCHS)
        assert torch.allclose(got, pure.class_probabilities(counts, 0, EPOCHS), atol=1e-15)
    assert rule.class_probabilities(counts, 0, 1).sum() == pytest.approx(1.0)


@every_rule
def test_inaturalist_size_is_drawn_quickly(rule):
    generator = torch.Generator().manual_seed(0)
    counts = (2 + 998 * torch.linspace(1, 0, 8142) ** 20).long()
    labels = torch.arange(8142).repeat_interleave(counts)
    labels = torch.cat([labels, torch.randint(8142, (437_513 - len(labels),), generator=generator)])
    made = EpochSampler(rule, labels, num_classes=8142, max_epochs=EPOCHS, num_samples=437_513)
    memory, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    for epoch in range(5):  # others at work on the machine make it slow by chance
        made.set_epoch(epoch)
        start = time.process_time()
        assert len(made.global_indices()) == 437_513
        seconds.append(time.process_time() - start)
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1
    # A table of an entry per image and class would take 3.5 GB.
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert grown * (1 if sys.platform == "darwin" else 1024) < 5e8


def test_lightning_leaves_it_alone_and_data_loaders_take_it():
    made = sampler(Reversed())
    assert isinstance(made, DistributedSampler)
    loader = DataLoader(TensorDataset(torch.arange(N)), batch_size=10, sampler=made)
    assert torch.cat([batch for (batch,) in loader]).tolist() == list(made)


@every_rule
def test_one_call_gives_a_plain_data_loader_the_rule(rule):
    made = rule.sampler(LABELS.tolist(), seed=3, max_epochs=EPOCHS)
    loader = DataLoader(TensorDataset(torch.arange(N)), batch_size=10, sampler=made)
    for epoch in (0, 9):
        made.set_epoch(epoch)
        seen = torch.cat([batch for (batch,) in loader]).tolist()
        assert seen == list(sampler(rule, epoch, seed=3))
    parts = [
        rule.sampler(LABELS, max_epochs=EPOCHS, num_replicas=2, rank=r, num_samples=6)
        for r in range(2)
    ]
    dealt = [image for pair in zip(*parts, strict=True) for image in pair]
    assert dealt == sampler(rule, num_samples=6).global_indices().tolist()


@every_rule
def test_a_rule_says_whether_it_changes_over_the_run(rule):
    counts = torch.tensor(COUNTS)
    shares = [rule.class_probabilities(counts, epoch, EPOCHS) for epoch in range(EPOCHS)]
    assert rule.changes_over_run == any(not torch.equal(p, shares[0]) for p in shares)
    if rule.changes_over_run:
        with pytest.raises(UserError, match="changes over the run: give max_epochs"):
            rule.sampler(LABELS)
    else:
        rule.sampler(LABELS)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Power(float("nan")), "nan"),
        (lambda: ClassAware(0), "images_per_class is 0"),
        (lambda: EffectiveNumberBalanced(1.0), "beta is 1.0"),
        (lambda: StepSwitch(-0.5), "-0.5"),
        (lambda: EpochSampler(Reversed(), torch.tensor([0, 2, 2])), r"\[1\]"),
        (lambda: EpochSampler(Reversed(), torch.tensor([0, 0]), num_classes=2), r"\[1\]"),
        (lambda: EpochSampler(Reversed(), torch.tensor([0, 3]), num_classes=2), "up to 3"),
        (lambda: EpochSampler(Reversed(), torch.tensor([0, 1]), num_samples=0), "0 images"),
        (lambda: Reversed().sampler([0, 1], num_replicas=2, rank=2), "rank is 2 of num_replicas 2"),
        (lambda: Reversed().sampler([0, 1], num_replicas=0), "of num_replicas 0: give 1"),
        (lambda: Reversed().sampler([0, 1], seed=2**32), "seed is 4294967296: give .* 4294967295"),
        (lambda: UnderSampling(redraw=False, seed=2**70), "seed is 11805916207174113"),
        (lambda: Reversed().sampler([0, 1], num_samples=2.5), "num_samples is 2.5: give a whole"),
    ],
)
def test_bad_input_is_told_in_one_sentence(make, word):
    with pytest.raises(UserError, match=word) as told:
        make()
    assert "\n" not in str(told.value)


def _shares(values):
    class Own(samplers.ClassRule):
        def class_probabilities(self, class_counts, epoch, max_epochs):
            return values(torch.full((C,), 1 / C, dtype=torch.float64))

    return Own()


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (lambda p: p.float(), r"float32 \(5,\)"),
        (lambda p: p[:3], r"float64 \(3,\)"),
        (lambda p: p[None], r"float64 \(1, 5\)"),
        (lambda p: p.tolist(), "a list"),
        (lambda p: p - 0.3, "shares from -0.1 to -0.1"),
        (lambda p: p * float("nan"), "shares from nan to nan"),
        (lambda p: p * 2, "shares with the sum 2"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda rule: rule, WithAdded], ids=["alone", "with_added"])
def test_shares_that_are_none_are_refused(values, got, wrap):
    with pytest.raises(UserError, match=rf"Own.class_probabilities gave {got} .* float64 \(5,\)"):
        list(wrap(_shares(values)).sampler(LABELS))


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (lambda drawn: drawn.float(), r"float32 \(100,\)"),
        (lambda drawn: drawn[:-1], r"int64 \(99,\)"),
        (lambda drawn: drawn.tolist(), "a list"),
        (lambda drawn: drawn - 1, "numbers from -1 to 98"),
        (lambda drawn: drawn + 1, "numbers from 1 to 100"),
    ],
)
def test_a_draw_of_no_images_is_refused(values, got):
    class Own(InstanceBalanced):
        def draw(self, index, size, generator, epoch, max_epochs):
            return values(super().draw(index, size, generator, epoch, max_epochs))

    with pytest.raises(UserError, match=rf"Own.draw gave {got} for 100 of 100 .* int64 \(100,\)"):
        list(Own().sampler(LABELS))
