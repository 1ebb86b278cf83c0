"""Held-out images: how many, from where, and never from the test split."""

import math

import pytest
import torch

from lt_lightning.data import AsIs, Digits, Exponential, Holdout, ImageFolder, LongTailDataModule
from lt_lightning.data.subset import Subset
from lt_lightning.errors import UserError

LABELS = torch.arange(10).repeat_interleave(200)[
    torch.randperm(2000, generator=torch.Generator().manual_seed(0))
]
FULL = torch.full((10,), 200)
KINDS = {"fraction": {"fraction": 0.1}, "per_class": {"per_class": 1}}


def choose(profile, holdout, seed=0):
    subset = Subset(profile, holdout, seed)
    train, held = subset.choose(LABELS, FULL)
    counts = torch.bincount(LABELS[train], minlength=10)
    assert torch.equal(counts, subset.plan(FULL)[0]), "what is chosen is what was planned"
    return train, held


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_held_out_images_are_not_trained_on_and_none_is_twice(kind, when):
    train, held = choose(Exponential(20), Holdout(when=when, **KINDS[kind]))
    together = torch.cat([train, held])
    assert len(together.unique()) == len(together)
    assert len(held) > 0


def test_after_the_profile_the_held_out_part_is_long_tailed_too():
    train, held = choose(Exponential(20), Holdout(fraction=0.1))
    kept = Exponential(20)(FULL)
    expected = [max(round(int(n) * 0.1), 1) for n in kept]
    assert torch.bincount(LABELS[held]).tolist() == expected
    assert torch.bincount(LABELS[train]).tolist() == (kept - torch.tensor(expected)).tolist()
    assert expected[0] == 20
    assert expected[-1] == 1


def test_after_the_profile_only_its_images_are_divided():
    train, held = choose(Exponential(20), Holdout(fraction=0.3))
    whole, none = choose(Exponential(20), None)
    assert len(none) == 0
    assert set(train.tolist()) | set(held.tolist()) == set(whole.tolist())


def test_before_the_profile_the_held_out_part_is_balanced():
    train, held = choose(Exponential(20), Holdout(fraction=0.1, when="before"))
    assert torch.bincount(LABELS[held]).tolist() == [20] * 10
    assert torch.equal(torch.bincount(LABELS[train]), Exponential(20)(FULL - 20))


@pytest.mark.parametrize("when", ["before", "after"])
def test_number_per_class_is_exact(when):
    _, held = choose(Exponential(20), Holdout(per_class=7, when=when))
    assert torch.bincount(LABELS[held]).tolist() == [7] * 10


@pytest.mark.parametrize("when", ["before", "after"])
def test_which_images_are_held_out_depends_on_the_seed_of_the_holdout(when):
    def held(seed, subset_seed=0):
        holdout = Holdout(fraction=0.1, when=when, seed=seed)
        return set(choose(Exponential(20), holdout, subset_seed)[1].tolist())

    assert held(0) == held(0)
    assert held(0) != held(1)
    assert (held(0) == held(0, subset_seed=5)) == (when == "before")


def test_share_of_nearly_all_leaves_a_training_image_of_each_class():
    holdout = Holdout(fraction=0.999)
    assert holdout.counts(torch.tensor([1000, 10, 2, 1])).tolist() == [999, 9, 1, 0]


def test_small_share_holds_out_one_image_of_each_class_that_has_two():
    assert Holdout(fraction=0.001).counts(torch.tensor([400, 2, 1])).tolist() == [1, 1, 0]


def test_class_without_images_gives_none():
    assert Holdout(fraction=0.5).counts(torch.tensor([4, 0])).tolist() == [2, 0]


def test_number_that_takes_a_whole_class_names_it():
    for names, told in ((None, "1, 2"), (["a", "b", "c"], "'b', 'c'")):
        with pytest.raises(UserError, match=rf"leaves .* for 2 classes \({told}\): give a smaller"):
            Holdout(per_class=10).counts(torch.tensor([11, 10, 3]), names)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_classes_have_their_names_wherever_the_plan_is_asked_for(when, split_tree):
    holdout = Holdout(per_class=50, when=when)
    root = split_tree({"a": 3, "b": 4}, {"a": 1, "b": 1})
    for ask in (lambda data: data.class_counts, lambda data: data.setup("fit")):
        data = LongTailDataModule(ImageFolder(), str(root), AsIs(), holdout=holdout)
        with pytest.raises(UserError, match=r"leaves no training image for 2 classes \('a', 'b'\)"):
            ask(data)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"fraction": 0.1, "per_class": 1},
        {"fraction": 0.0},
        {"fraction": 1.0},
        {"fraction": math.nan},
        {"per_class": 0},
    ],
)
def test_wrong_numbers_are_refused(kwargs):
    with pytest.raises(UserError, match="holdout"):
        Holdout(**kwargs)


@pytest.mark.parametrize("when", ["before", "after"])
def test_test_split_stays_whole_and_sealed(when):
    plain = LongTailDataModule(Digits(8), profile=AsIs())
    held = LongTailDataModule(Digits(8), profile=AsIs(), holdout=Holdout(fraction=0.2, when=when))
    for data in (plain, held):
        data.setup("fit")
    assert not plain.has_validation
    assert plain.val_dataloader() == []
    assert held.has_validation
    ((images, labels),) = list(held.val_dataloader())
    assert len(images) == 1201 - int(held.class_counts.sum())
    assert torch.bincount(labels).min() >= 20
    for (a, _), (b, _) in zip(plain.test_dataloader(), held.test_dataloader(), strict=True):
        assert torch.equal(a, b)


def test_monitored_test_split_is_the_validation_split():
    data = LongTailDataModule(Digits(8), monitor_test=True)
    assert data.has_validation
    data.setup("fit")
    pairs = zip(data.val_dataloader(), data.test_dataloader(), strict=True)
    assert all(torch.equal(a, b) for (a, _), (b, _) in pairs)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_out_split_without_an_image_is_refused(tree, when):
    root = tree(["train/a/0.png", "train/b/0.png", "test/a/0.png"])
    data = LongTailDataModule(
        ImageFolder(), root=str(root), profile=AsIs(), holdout=Holdout(fraction=0.1, when=when)
    )
    told = r"data\.holdout\.fraction 0\.1 holds out no image of 2 images of 2 classes: .* null\.$"
    with pytest.raises(UserError, match=told):
        data.setup("fit")


def test_two_validation_splits_are_refused(tree):
    with pytest.raises(UserError, match="both fill `val`"):
        LongTailDataModule(holdout=Holdout(per_class=1), monitor_test=True)
