"""Images without labels: which ones, in which numbers, and that their classes stay unknown."""

import pytest
import torch
from PIL import Image

from lt_lightning.data import (
    AsIs,
    Digits,
    Exponential,
    Holdout,
    ImageFolder,
    LeftOver,
    LongTailDataModule,
    UnlabelledFolder,
)
from lt_lightning.errors import UserError


def data(unlabelled, **options):
    made = LongTailDataModule(source=Digits(size=8), unlabelled=unlabelled, workers=0, **options)
    made.setup("fit")
    return made


def test_counts_by_hand():
    available = torch.tensor([0, 40, 60, 70])
    # n_U = 2 * 50; shares 1, 1/10, 1/100, 1/1000 of 1.111
    rule = LeftOver(imbalance_ratio=1000, times=2)
    assert rule.counts(available, 50).tolist() == [0, 9, 0, 0]
    assert LeftOver(imbalance_ratio=1, times=2).counts(available, 50).tolist() == [0, 25, 25, 25]
    # in the proportion in which they are left, 170 in all
    assert LeftOver(times=1.7).counts(available, 50).tolist() == [0, 20, 30, 35]
    assert LeftOver(times=5).counts(available, 50).tolist() == available.tolist()


def test_left_over_images_are_neither_trained_on_nor_held_out():
    made = data(LeftOver(), holdout=Holdout(per_class=1), profile=Exponential(20))
    found = made.find_unlabelled()
    everything = made.chosen.everything.images.flatten(1)
    used = [made._splits[split].images.flatten(1) for split in ("train", "val")]
    pictures = {tuple(row.tolist()) for row in torch.cat(used)}
    others = [tuple(row.tolist()) for row in found.images.images.flatten(1)]
    assert not pictures & set(others)
    assert len(others) == len(everything) - sum(map(len, used)) == int(found.selected.sum())


def test_labels_of_the_source_are_forgotten_and_only_counted():
    made = data(LeftOver(imbalance_ratio=1, times=0.5))
    found = made.find_unlabelled()
    assert found.images.labels.eq(0).all()
    in_all = torch.bincount(made.chosen.everything.labels, minlength=10)
    left, most = in_all - made.class_counts, int(made.class_counts.sum()) // 20
    assert found.selected.tolist() == [min(most, n) for n in left.tolist()]
    assert 0 < most < int(left.max())


def test_choice_follows_the_subset_seed_and_is_told_by_the_fingerprint():
    rule = LeftOver(imbalance_ratio=1, times=0.5)
    first, same, other = (data(rule, subset_seed=k).find_unlabelled() for k in (0, 0, 1))
    assert first.fingerprint == same.fingerprint != other.fingerprint
    assert torch.equal(first.images.images, same.images.images)


def test_pseudo_labels_join_the_stream_and_leave_the_counts_alone(caplog):
    made = data(LeftOver(imbalance_ratio=1, times=0.5), batch_size=32, augment=None)
    before = made.class_counts.clone()
    found = made.find_unlabelled()
    pseudo = torch.arange(len(found.images)) % 10
    with caplog.at_level("INFO", "lt_lightning"):
        made.add_pseudo_labels(pseudo)
    labels = torch.cat([y for _, y in made.train_dataloader()])
    seen = torch.bincount(labels, minlength=20)
    assert torch.equal(seen[:10], before)
    assert torch.equal(seen[10:], torch.bincount(pseudo, minlength=10))
    assert torch.equal(made.class_counts, before)
    facts = made.unlabelled_facts
    assert facts["images"] == len(pseudo)
    assert facts["times"] == pytest.approx(len(pseudo) / int(before.sum()))
    assert facts["class_counts"] == found.selected.tolist()
    assert facts["pseudo_label_counts"] == seen[10:].tolist()
    assert f"{len(pseudo)} unlabelled images" in caplog.text
    evaluated = torch.cat([y for _, y in made.eval_loader("train")])
    assert len(evaluated) == int(before.sum())


def _pictures(folder, count, size=12):
    for number in range(count):
        place = folder / ("deep" if number % 2 else "") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (size, size), (number, 2, 3)).save(place)
    return folder


def test_folder_is_read_at_any_depth_in_the_size_of_the_source(tmp_path, monkeypatch):
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "cache"))
    folder = _pictures(tmp_path / "images", 5)
    found = data(UnlabelledFolder(str(folder))).find_unlabelled()
    assert found.images.images.shape == (5, 3, 8, 8)
    assert found.selected is None
    first = sorted(p for p in folder.rglob("*.png"))[0]
    assert int(found.images.images[0, 0, 0, 0]) == int(first.stem)
    made = data(UnlabelledFolder(str(folder)))
    made.add_pseudo_labels(torch.full((5,), 9))
    assert made.unlabelled_facts["class_counts"] is None
    assert made.unlabelled_facts["pseudo_label_ratio"] is None


def test_images_in_files_stay_in_files(tmp_path):
    for split, count in (("train/ant", 4), ("train/bee", 2), ("test/ant", 1), ("test/bee", 1)):
        _pictures(tmp_path / "root" / split, count)
    folder = _pictures(tmp_path / "more", 3)
    made = LongTailDataModule(
        source=ImageFolder(image_size=8, in_memory=False),
        root=str(tmp_path / "root"),
        profile=AsIs(),
        unlabelled=UnlabelledFolder(str(folder)),
        workers=0,
    )
    made.setup("fit")
    seen = [len(y) for _, y in made.unlabelled_loader(made.normalize)]
    made.add_pseudo_labels(torch.tensor([1, 1, 0]))
    batches = list(made.train_dataloader())
    labels = torch.cat([y for _, y in batches])
    assert sum(seen) == 3
    assert torch.bincount(labels, minlength=4).tolist() == [4, 2, 1, 2]
    assert all(x.shape[1:] == (3, 8, 8) for x, _ in batches)


def test_unreadable_image_is_named_or_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "cache"))
    folder = _pictures(tmp_path / "images", 3)
    (folder / "bad.png").write_bytes(b"no picture")
    with pytest.raises(
        UserError, match=r"bad\.png cannot be read \(.*\): .*data\.unlabelled\.unreadable"
    ):
        data(UnlabelledFolder(str(folder))).find_unlabelled()
    kept = data(UnlabelledFolder(str(folder), unreadable="skip")).find_unlabelled()
    assert len(kept.images) == 3


def test_folder_without_images_is_refused(tmp_path):
    (tmp_path / "text.txt").write_text("no image", encoding="utf-8")
    with pytest.raises(UserError, match="holds no image: give a folder of"):
        data(UnlabelledFolder(str(tmp_path))).find_unlabelled()
    with pytest.raises(UserError, match="is not a folder"):
        data(UnlabelledFolder(str(tmp_path / "none"))).find_unlabelled()


def test_profile_that_leaves_nothing_is_refused():
    with pytest.raises(UserError, match=r"LeftOver finds no image \(0 are left over"):
        data(LeftOver(), profile=AsIs()).find_unlabelled()
    assert data(LeftOver(), profile=Exponential(10)).find_unlabelled()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"imbalance_ratio": 0.5}, r"imbalance_ratio is 0\.5"),
        ({"times": 0.0}, r"times is 0\.0"),
        ({"times": float("nan")}, "times is nan"),
    ],
)
def test_bad_number_is_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        LeftOver(**options)
