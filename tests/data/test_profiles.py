import math

import pytest
import torch

from lt_lightning.data import AsIs, Exponential, Holdout, ImageFolder, LongTailDataModule, Step
from lt_lightning.errors import UserError

FULL = {10: torch.full((10,), 5000), 100: torch.full((100,), 500)}
# (classes, ratio) -> total, rarest class, classes with > 100, 20 to 100 and < 20 images.
TABLE = {
    (10, 200): (11203, 25, 7, 3, 0),
    (10, 100): (12406, 50, 8, 2, 0),
    (10, 50): (13996, 100, 9, 1, 0),
    (10, 10): (20431, 500, 10, 0, 0),
    (100, 200): (9502, 2, 30, 31, 39),
    (100, 100): (10847, 5, 35, 35, 30),
    (100, 50): (12608, 10, 41, 41, 18),
    (100, 10): (19573, 50, 69, 31, 0),
}
CIFAR10_COUNTS = {
    100: [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50],
    50: [5000, 3237, 2096, 1357, 878, 568, 368, 238, 154, 100],
    10: [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500],
}


@pytest.mark.parametrize(("classes", "ratio"), TABLE)
def test_cifar_profile_has_the_published_totals_and_groups(classes, ratio):
    kept = Exponential(ratio)(FULL[classes])
    many, few = int((kept > 100).sum()), int((kept < 20).sum())
    found = (int(kept.sum()), int(kept[-1]), many, classes - many - few, few)
    assert found == TABLE[classes, ratio]
    assert int(kept[0]) == FULL[classes][0]


@pytest.mark.parametrize("ratio", CIFAR10_COUNTS)
def test_cifar10_counts_are_those_of_the_reference(ratio):
    assert Exponential(ratio)(FULL[10]).tolist() == CIFAR10_COUNTS[ratio]


def test_cifar100_counts_are_those_of_the_reference():
    kept = Exponential(100)(FULL[100]).tolist()
    assert kept[:5] == [500, 477, 455, 434, 415]
    assert kept[-8:] == [6, 6, 6, 6, 5, 5, 5, 5]
    assert (kept[34], kept[35], kept[69], kept[70]) == (102, 98, 20, 19)


@pytest.mark.parametrize("classes", [10, 100])
def test_counts_equal_a_loop_over_the_formula(classes):
    for ratio in (1, 10, 37.5, 100, 256):
        n_max, expected = 50000 / classes, []
        for j in range(classes):
            expected.append(int(n_max * (1 / ratio) ** (j / (classes - 1.0))))
        assert Exponential(ratio)(FULL[classes]).tolist() == expected


def test_ratio_one_keeps_everything():
    assert torch.equal(Exponential(1)(FULL[100]), FULL[100])
    assert torch.equal(Step(1)(FULL[100]), FULL[100])


def test_no_class_keeps_more_than_it_has():
    available = torch.tensor([10, 90, 50])
    kept = Exponential(5)(available)  # n_max is the mean, 50: int(50), int(50 / sqrt 5), int(10)
    assert kept.tolist() == [10, 22, 10]
    assert bool((kept <= available).all())


@pytest.mark.parametrize("profile", [Exponential(50), Step(50), AsIs()], ids=lambda p: type(p))
def test_counts_are_int64_and_the_available_ones_stay_as_they_were(profile):
    available = torch.full((10,), 120)
    kept = profile(available)
    assert kept.dtype == torch.int64
    assert available.tolist() == [120] * 10
    assert kept.data_ptr() != available.data_ptr()


def test_step_profile_has_two_sizes():
    assert Step(100)(FULL[10]).tolist() == [5000] * 5 + [50] * 5
    assert Step(10)(FULL[100]).tolist() == [500] * 50 + [50] * 50
    assert Step(100, head_fraction=0.3)(FULL[10]).tolist() == [5000] * 3 + [50] * 7


def test_step_profile_of_an_odd_number_of_classes_covers_all():
    assert Step(10)(torch.full((5,), 100)).tolist() == [100, 100, 10, 10, 10]


@pytest.mark.parametrize(("fraction", "head"), [(0.29, 29), (0.57, 57), (0.001, 1), (0.9999, 99)])
def test_share_of_large_classes_is_exact_and_leaves_one_on_both_sides(fraction, head):
    kept = Step(10, head_fraction=fraction)(FULL[100])
    assert int((kept == 500).sum()) == head
    assert int((kept == 50).sum()) == 100 - head


def test_as_is_keeps_everything():
    available = torch.tensor([3, 900, 1])
    assert torch.equal(AsIs()(available), available)


@pytest.mark.parametrize("profile", [Exponential, Step])
@pytest.mark.parametrize("ratio", [0.99, 0.01, 0, -3, math.nan, math.inf])
def test_ratio_below_one_is_refused_with_the_value(profile, ratio):
    with pytest.raises(UserError, match=rf"imbalance_ratio is {ratio}.*100 here"):
        profile(ratio)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, math.nan])
def test_step_refuses_a_share_outside_zero_and_one(fraction):
    with pytest.raises(UserError, match="head_fraction"):
        Step(10, head_fraction=fraction)


@pytest.mark.parametrize("profile", [Exponential(1000), Step(1000)], ids=lambda p: type(p))
def test_class_that_vanishes_is_named(profile):
    with pytest.raises(UserError, match=r"imbalance_ratio 1000 leaves no .* \[.*99?\]: .*smaller"):
        profile(FULL[100])


@pytest.mark.parametrize("profile", [Exponential(2), Step(2), AsIs()], ids=lambda p: type(p))
def test_class_that_was_empty_before_is_not_blamed_on_the_ratio(profile):
    with pytest.raises(UserError, match=r"classes \[1\] have no training image") as caught:
        profile(torch.tensor([5, 0, 5]))
    assert "ratio" not in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "counts", "short", "kept"),
    [
        (Exponential(10), [5, 60, 20], [0], [5, 8, 2]),
        (Step(10), [5, 60, 20], [0], [5, 2, 2]),
        (Exponential(10), [60, 20, 5], [], [28, 8, 2]),
        (Exponential(10), [50, 50, 50], [], [50, 15, 5]),
        (Exponential(10), [49, 50, 51], [], [49, 15, 5]),  # a little fewer is no matter
        (AsIs(), [5, 60, 20], [], [5, 60, 20]),
    ],
)
def test_a_class_that_has_less_than_is_asked_for_is_told(profile, counts, short, kept):
    available = torch.tensor(counts)
    assert profile.short(available).nonzero().flatten().tolist() == short
    assert profile(available).tolist() == kept


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_profile_does_not_get_is_said_once(split_tree, caplog, when):
    root = split_tree({"cat": 6, "dog": 60, "owl": 20}, {"cat": 1, "dog": 1, "owl": 1})
    data = LongTailDataModule(
        ImageFolder(8),
        root=str(root),
        profile=Exponential(10),
        holdout=Holdout(per_class=1, when=when),
    )
    data.setup("fit")
    data.setup("test")
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    counts = data.class_counts
    assert told == (
        "1 of 3 classes have fewer images than an imbalance_ratio of 10 needs (cat): the largest "
        f"class has {float(counts.max() / counts.min()):.4g} times the images of the smallest."
    )
