"""Whole groups are set aside: never parted, near to the asked share, a training image each."""

import itertools
import logging
import time
from pathlib import PurePath

import pytest
import torch

from lt_lightning.data import (
    AsIs,
    Digits,
    Exponential,
    Holdout,
    ImageFolder,
    LongTailDataModule,
    group_choice,
    subset,
)
from lt_lightning.data.group_choice import choose_groups
from lt_lightning.data.groups import Grouped, NamedGroup
from lt_lightning.data.source_checks import check_counts
from lt_lightning.data.splits import choose_splits
from lt_lightning.data.subset import Subset
from lt_lightning.errors import UserError


def grouped(*contents):
    """Return images of groups, each given as class -> number of its images."""
    labels, groups = [], []
    for number, content in enumerate(contents):
        for label, count in content.items():
            labels += [label] * count
            groups += [number] * count
    return Grouped(torch.tensor(labels), torch.tensor(groups))


def drawn(seed, classes, groups, most):
    """Return random groups, half of them of more than one class."""
    draw = torch.Generator().manual_seed(seed)

    def number(low, high):
        return int(torch.randint(low, high, (1,), generator=draw))

    contents = [{c: number(1, most)} for c in range(classes)]
    for _ in range(groups):
        among = torch.randperm(classes, generator=draw)[: number(1, 3)].tolist()
        contents.append({c: number(1, most) for c in among})
    return grouped(*contents)


def counts(data, where, classes):
    return torch.bincount(data.labels[where], minlength=classes)


def wanted_of(data, classes, share=0.2):
    total = torch.bincount(data.labels, minlength=classes)
    return torch.minimum((total * share).round().long().clamp_min(1), (total - 1).clamp_min(0))


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_whole_and_every_class_keeps_an_image(seed):
    data = drawn(seed, 5, 20, 9)
    out = choose_groups(data, wanted_of(data, 5), seed)
    aside = set(data.groups[out].tolist())
    rest = torch.ones(len(data.labels), dtype=torch.bool)
    rest[out] = False
    assert aside
    assert aside.isdisjoint(data.groups[rest].tolist())
    assert int(counts(data, rest, 5).min()) >= 1
    assert torch.equal(out, choose_groups(data, wanted_of(data, 5), seed))


def test_another_seed_takes_other_groups():
    data = grouped(*[{0: 2}] * 20)
    taken = {tuple(choose_groups(data, torch.tensor([8]), seed).tolist()) for seed in range(5)}
    assert len(taken) == 5
    assert all(len(indices) == 8 for indices in taken)


@pytest.mark.parametrize("seed", range(6))
def test_number_of_a_class_with_groups_of_its_own_is_the_nearest_there_is(seed):
    draw = torch.Generator().manual_seed(seed)
    sizes = torch.randint(3, 40, (9,), generator=draw).tolist()
    data = grouped(*({0: size} for size in sizes))
    wanted = round(sum(sizes) * 0.2)
    sums = {sum(part) for r in range(1, 9) for part in itertools.combinations(sizes, r)}
    out = choose_groups(data, torch.tensor([wanted]), seed)
    assert abs(len(out) - wanted) == min(abs(s - wanted) for s in sums)


@pytest.mark.parametrize("seed", range(6))
def test_groups_of_several_classes_are_near_to_the_best_choice(seed):
    data, classes = drawn(seed, 3, 7, 6), 3
    wanted, total = wanted_of(data, classes, 0.3), torch.bincount(data.labels, minlength=classes)

    def off(taken):
        return float((((taken - wanted) / wanted.clamp_min(1)) ** 2).sum())

    members = [data.groups == g for g in range(int(data.groups.max()) + 1)]
    best = float("inf")
    for choice in itertools.product([False, True], repeat=len(members)):
        where = sum((m for m, c in zip(members, choice, strict=True) if c), members[0] & False)
        taken = counts(data, where.bool(), classes)
        if bool((taken < total).all()):
            best = min(best, off(taken))
    found = off(counts(data, choose_groups(data, wanted, seed), classes))
    assert found <= best + 0.05


def test_one_large_group_and_single_images_are_chosen_fast():
    data = grouped({0: 50_000}, *[{0: 1}] * 30_000)
    assert len(choose_groups(data, torch.tensor([16_000]), 0)) == 16_000


@pytest.mark.parametrize("seed", range(4))
def test_groups_too_many_to_try_all_sums_are_off_by_less_than_one_of_them(seed, monkeypatch):
    monkeypatch.setattr(group_choice, "_BITS", 0)
    draw = torch.Generator().manual_seed(seed)
    for low, count in ((3, 9), (50, 3), (90, 2)):
        sizes = torch.randint(low, 100, (count,), generator=draw).tolist()
        data = grouped(*({0: size} for size in sizes))
        out = choose_groups(data, torch.tensor([round(sum(sizes) * 0.2)]), seed)
        left = set(data.groups.tolist()) - set(data.groups[out].tolist())
        assert left
        assert len(out) > 0
        off = abs(len(out) - round(sum(sizes) * 0.2))
        assert off < min(sizes[k] for k in left)


@pytest.mark.parametrize("sizes", [[400_000, 500_001], [*range(900, 1000)] * 5])
def test_large_groups_are_chosen_fast_and_as_near_as_can_be(sizes):
    data = grouped(*({0: size} for size in sizes))
    wanted = sum(sizes) // 5
    off = abs(len(choose_groups(data, torch.tensor([wanted]), 0)) - wanted)
    assert off == (400_000 - wanted if len(sizes) == 2 else 0)


@pytest.mark.slow
@pytest.mark.parametrize("labels", [1, 100])
def test_fifty_thousand_groups_take_seconds(labels):
    draw = torch.Generator().manual_seed(0)
    groups = torch.arange(50_000).repeat_interleave(3)
    data = Grouped(torch.randint(labels, (150_000,), generator=draw), groups)
    wanted = torch.bincount(data.labels) // 5
    begun = time.process_time()
    out = choose_groups(data, wanted, 0)
    assert time.process_time() - begun < 20
    assert (counts(data, out, labels) - wanted).abs().max() <= 3


def test_file_names_give_groups_and_paths_where_there_is_a_slash(tree):
    from pathlib import PurePath

    assert NamedGroup("^(.*)_").of(PurePath("a/x/s1_07.png")) == "s1"
    assert NamedGroup("(.*/.*)_").of(PurePath("a/x/s1_07.png")) == "a/x/s1"
    assert NamedGroup("^s[0-9]+").of(PurePath("s1_07.png")) == "s1"
    assert NamedGroup("(a)|(b)").of(PurePath("b")) != NamedGroup("(a)|(b)").of(PurePath("a"))
    with pytest.raises(UserError, match=r"does not match 'photo.png', so it has no group"):
        NamedGroup("^(.*)_").of(PurePath("a/photo.png"))
    with pytest.raises(UserError, match=r"group_by is '\(', which is no regular expression"):
        ImageFolder(group_by="(")


@pytest.fixture
def tracks(tree):
    """A folder of tracks: class a has 8 of 3 pictures, b 4, c one alone; one group is in both."""
    names = [
        f"{c}/{c}{k}_{i}.png"
        for c, n in (("a", 8), ("b", 4), ("c", 1))
        for k in range(n)
        for i in range(3)
    ]
    return tree([*names, *(f"{c}/both_{i}.png" for c in "ab" for i in range(2))])


def tracks_of(paths):
    return {path.name.split("_")[0] for path in paths}


def test_a_folder_is_split_by_groups_and_a_class_of_one_is_named(tracks, caplog):
    source = ImageFolder(in_memory=False, test_fraction=0.25, group_by="^(.*)_")
    with caplog.at_level(logging.INFO):
        splits = source.load(tracks)
    train, test = splits["train"], splits["test"]
    assert tracks_of(train.paths).isdisjoint(tracks_of(test.paths))
    assert torch.bincount(train.labels).tolist()[2] == 3
    assert set(test.labels.tolist()) == {0, 1}
    assert "The test split has no image of 1 class ('c')" in caplog.text
    assert "in whole groups" in caplog.text


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("profile", [AsIs(), Exponential(4)])
def test_the_holdout_takes_whole_groups_and_the_plan_is_kept(tracks, when, profile):
    source = ImageFolder(image_size=8, in_memory=False, test_fraction=0.2, group_by="^(.*)_")
    holdout = Holdout(fraction=0.25, when=when)
    data = LongTailDataModule(source, root=str(tracks), profile=profile, holdout=holdout)
    data.setup("fit")
    parts = {name: tracks_of(images.paths) for name, images in data._splits.items()}
    assert parts["val"]
    for one, other in itertools.combinations(parts, 2):
        assert parts[one].isdisjoint(parts[other])


@pytest.mark.parametrize("when", ["before", "after"])
def test_images_that_the_profile_left_over_are_not_of_a_held_out_group(tracks, when):
    """Trap: the profile leaves two of a group's three images over, and the third is held out."""
    source = ImageFolder(image_size=8, in_memory=False, test_fraction=0.2, group_by="^(.*)_")
    holdout = Holdout(fraction=0.25, when=when)
    chosen = choose_splits(source, tracks, Subset(Exponential(4), holdout, 0), False)
    left = tracks_of(chosen.everything.paths[k] for k in chosen.left_over.tolist())
    assert left
    assert left.isdisjoint(tracks_of(chosen.splits["val"].paths))


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_plan_is_what_is_chosen_and_groups_are_chosen_once(when, monkeypatch):
    data = grouped(*[{0: 5}] * 6, *[{1: 5}] * 6)
    asked = []
    monkeypatch.setattr(subset, "choose_groups", lambda *of: asked.append(of) or choose_groups(*of))
    plan = Subset(Exponential(5), Holdout(fraction=0.3, when=when), 0)
    available = torch.bincount(data.labels)
    planned, _, kept = plan.plan(available, data)
    train, held = plan.choose(data.labels, available, data.groups)
    plan.short(available, data)
    assert torch.equal(torch.bincount(data.labels[train]), planned)
    assert torch.equal(torch.bincount(data.labels[held]), kept)
    assert len(held) > 0
    assert len(asked) == 1
    other = grouped(*[{0: 5}] * 5, *[{1: 5}] * 7)
    plan.plan(torch.bincount(other.labels), other)
    assert len(asked) == 2, "of other images the choice is another"


def test_another_seed_is_another_choice_of_groups(monkeypatch):
    data, asked = grouped(*[{0: 5}] * 6), []
    monkeypatch.setattr(subset, "choose_groups", lambda *of: asked.append(of[2]))
    plan = Subset(AsIs(), None, 0)
    for seed in (0, 0, 1):
        plan._whole_groups(data, torch.tensor([5]), seed)
    assert asked == [0, 1]


class Tracked(Digits):
    """Digits of which five in a row are a group, spoilt by a test."""

    def __init__(self, spoil):
        super().__init__(size=8)
        self.spoil = spoil

    def grouped(self, root):
        labels = self.load(root)["train"].labels
        return self.spoil(labels, torch.arange(len(labels)) // 5)


def of_tracked(spoil):
    data = LongTailDataModule(Tracked(spoil), profile=AsIs(), holdout=Holdout(fraction=0.2))
    data.setup("fit")
    return data.fingerprint


def test_groups_may_have_any_numbers():
    wanted = of_tracked(Grouped)
    assert of_tracked(lambda labels, groups: Grouped(labels, groups - 1)) == wanted
    assert of_tracked(lambda labels, groups: Grouped(labels, groups * 10**12)) == wanted


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda labels, groups: groups, r"gave int64 \(1201,\): return Grouped\("),
        (
            lambda labels, groups: Grouped(labels, groups[:3]),
            r"the groups int64 \(3,\) for 120",
        ),
        (lambda labels, groups: Grouped(labels, groups.float()), "has the groups float32"),
        (lambda labels, groups: Grouped(labels, groups.tolist()), "has the groups a list"),
        (lambda labels, groups: Grouped(labels, groups.to("meta")), r"\(1201,\) on meta"),
        (lambda labels, groups: Grouped(labels[:3], groups[:3]), r"has the labels int64 \(3,\)"),
        (lambda labels, groups: Grouped(labels - 1, groups), "other labels than the training"),
        (lambda labels, groups: Grouped(labels.clamp_min(1), groups), "other labels than the tra"),
        (lambda labels, groups: Grouped(labels.flip(0), groups), "in the same order"),
    ],
)
def test_what_is_no_group_of_the_training_images_is_refused(spoil, told):
    with pytest.raises(UserError, match=rf"Tracked\.grouped .*{told}"):
        of_tracked(spoil)


def test_counts_of_a_source_are_on_the_cpu():
    with pytest.raises(UserError, match=r"gave int64 \(2,\) on meta: return int64 \(2,\) on"):
        check_counts(torch.ones(2, dtype=torch.int64, device="meta"), 2, Digits())


def test_a_data_module_chooses_its_groups_once(tracks, monkeypatch):
    asked = []
    monkeypatch.setattr(subset, "choose_groups", lambda *of: asked.append(of) or choose_groups(*of))
    source = ImageFolder(image_size=8, in_memory=False, test_fraction=0.2, group_by="^(.*)_")
    data = LongTailDataModule(source, str(tracks), AsIs(), holdout=Holdout(fraction=0.25))
    assert int(data.class_counts.sum())
    data.setup("fit")
    assert len(asked) == 1


def test_images_of_each_class_in_the_test_split(tree):
    root = tree([f"{c}/{k}.png" for c, n in (("a", 9), ("b", 4)) for k in range(n)])
    assert ImageFolder(test_per_class=3).train_counts(root).tolist() == [6, 1]
    with pytest.raises(UserError, match=r"test_per_class 4 leaves no training image .*'b'"):
        ImageFolder(test_per_class=4).train_counts(root)
    with pytest.raises(UserError, match="give one of them"):
        ImageFolder(test_per_class=4, test_fraction=0.1)
    with pytest.raises(UserError, match="test_per_class is 0"):
        ImageFolder(test_per_class=0)


def test_images_without_a_group_are_shared_by_no_splits(caplog):
    named = NamedGroup("^(s[0-9]+)_")
    found = [
        named.of_given([PurePath("a/x.png"), PurePath("a/s1_0.png")], split)
        for split in ("val", "test")
    ]
    assert set(found[0]) & set(found[1]) == {"s1"}
    assert "does not match 1 of 2 images of the test split, such as 'x.png'" in caplog.text


def test_a_match_of_nothing_is_no_group():
    with pytest.raises(UserError, match=r"does not match 'a\.png'"):
        NamedGroup(r"^(\d*)").of(PurePath("x/a.png"))
    assert NamedGroup(r"^(\d*)").of(PurePath("x/7a.png")) == "7"
    assert NamedGroup("^(x_)?cat").of(PurePath("a/cat1.png")) == "cat"
