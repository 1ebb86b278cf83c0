"""Lists of `path label`: what is read of them, what is refused, and the standard ones by name."""

import shutil

import numpy as np
import pytest
import torch
import yaml
from config_files import CONFIGS
from image_tables import refused

from lt_lightning.data import AsIs, Holdout, ImageList, LongTailDataModule
from lt_lightning.errors import UserError

TRAIN = ["train/x/0.png 0", "train/x/1 a.png 0", "train/y/2.png 1", "train/y/3.png 1"]
TEST = ["val/x/4.png 0", "val/y/5.png 1"]
NAMED = ["places_lt", "imagenet_lt", "inaturalist2018"]


@pytest.fixture
def lists(tree):
    """Makes images and the lists of them."""

    def make(train=TRAIN, end="\n", encoding="utf-8", **more):
        root = tree([line.rsplit(" ", 1)[0] for line in [*TRAIN, *TEST]])
        for name, lines in {"train": train, "test": TEST, **more}.items():
            data = lines if isinstance(lines, bytes) else end.join([*lines, ""]).encode(encoding)
            (root / f"{name}.txt").write_bytes(data)
        return root

    return make


def on_disk(**kwargs):
    return ImageList(in_memory=False, **{"test": "test.txt", **kwargs})


def listing(source, root):
    return {
        split: [
            f"{path.relative_to(root)} {label}"
            for path, label in zip(images.paths, images.labels.tolist(), strict=True)
        ]
        for split, images in source.load(root).items()
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lists_are_read_in_their_order(lists, end, encoding):
    root = lists(TRAIN[::-1], end=end, encoding=encoding, val=[])
    assert listing(on_disk(), root) == {"train": TRAIN[::-1], "test": TEST}
    assert on_disk().class_names(root) == ["0", "1"]
    assert on_disk().train_counts(root).tolist() == [2, 2]
    assert not on_disk().has_validation(root)


def test_tabs_leading_noughts_and_other_spellings_of_a_path(lists):
    root = lists(["./train//x/0.png\t00", "train/x/1 a.png 0", " train/y/2.png   1 "])
    assert listing(on_disk(), root)["train"] == TRAIN[:3]


def test_validation_list_and_class_names(lists):
    root = lists(TRAIN[:3], val=TRAIN[3:], names=["white shark", "tench", ""])
    source = on_disk(val="val.txt", names="names.txt")
    assert source.has_validation(root)
    assert source.class_names(root) == ["white shark", "tench"]
    assert listing(source, root)["val"] == TRAIN[3:]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["one"], "has 1 names but the lists have 2 classes"),
        (["one", "one"], "Line 2 of .* has the name 'one' of line 1"),
        (["one", "", "three"], "has 3 names"),
        (["", "two"], "Line 1 of .* has no name that is text"),
        (b"caf\xe9\ntwo\n", "Line 1 of .* is no text in UTF-8"),
    ],
)
def test_names_that_do_not_name_every_class_are_refused(lists, names, told):
    with pytest.raises(UserError, match=told):
        on_disk(names="names.txt").load(lists(names=names))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("train/y/3.png", "ends in 'train/y/3.png', which is no number of a class"),
        ("train/y/3.png,1", "or use ImageTable for a CSV"),
        ("train/y/3.png -1", "ends in '-1'"),
        ("train/y/3.png 1.0", "ends in '1.0'"),
        ("train/y/3.png \u0661", "which is no number of a class"),
        ("train/y/3.png " + "9" * 5000, "which is no number of a class"),
        ("1", "names no file"),
        ("/train/y/3.png 1", "does not start from the root"),
        ("D:/train/y/3.png 1", "does not start from the root"),
        ("train/../../y/3.png 1", "leaves the root"),
        ("train/\x1by/3.png 1", "a control character"),
        ("train/x/0.png 0", "again, after line 1"),
        ("train/x/0.png 1", "under the label '1', and line 1 has it under '0'"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_its_number(lists, line, told):
    message = refused(on_disk(), lists([*TRAIN[:3], line]))
    assert told in message
    assert message.startswith("Line 4 of ")


def test_gaps_and_ranges_of_labels_are_refused(lists):
    assert "labels up to 3 but no image of 1 and 1 others" in refused(
        on_disk(), lists(["train/x/0.png 0", "train/y/2.png 3"])
    )
    assert "no image of 0:" in refused(on_disk(), lists(["train/x/0.png 1", "train/y/2.png 2"]))
    assert "labels up to 999999999" in refused(
        on_disk(), lists(["train/x/0.png 0", "train/y/2.png 999999999"])
    )
    assert "images of one class" in refused(on_disk(), lists(TRAIN[:2]))
    message = refused(on_disk(), lists(test=["val/x/4.png 2"]))
    assert "Line 1 of" in message
    assert "'2', which has no training image" in message


def test_one_picture_in_two_lists_is_refused(lists):
    message = refused(on_disk(), lists(test=[*TEST, TRAIN[0]]))
    assert "train/x/0.png for the test split, and line 1 of " in message


def test_empty_lists_odd_bytes_and_lost_lists_are_refused(lists):
    assert "names no image" in refused(on_disk(), lists([]))
    assert "Line 2 of" in refused(on_disk(), lists(b"train/x/0.png 0\ncaf\xe9.png 1\n"))
    assert "data.source.train lost.txt is no file" in refused(on_disk(train="lost.txt"), lists())


def test_missing_files_are_counted_with_their_archive(lists):
    root = lists([*TRAIN, "train/y/8.png 1", "train/y/9.png 1"], test=[*TEST, "val/x/9.png 0"])
    assert "3 of 9 images" in refused(on_disk(), root)
    message = refused(on_disk(archives={"train/": "train.tar", "val/": "val.tar"}), root)
    assert "unpack train.tar (2) and val.tar (1) there" in message
    assert listing(on_disk(unreadable="skip"), root) == {"train": TRAIN, "test": TEST}


def test_links_out_of_the_root_are_refused(lists, tmp_path):
    root = lists()
    shutil.move(root / "train/y/3.png", tmp_path / "3.png")
    (root / "train/y/3.png").symlink_to(tmp_path / "3.png")
    assert "train/y/3.png, a link that leads out of the root" in refused(on_disk(), root)


def test_a_test_split_is_given_or_made(lists):
    root = lists()
    parts = listing(ImageList(in_memory=False, test_fraction=0.5), root)
    assert sorted([*parts["train"], *parts["test"]]) == TRAIN
    assert ImageList(test_per_class=1).train_counts(root).tolist() == [1, 1]
    with pytest.raises(UserError, match="ImageList has no test images"):
        ImageList()


def test_groups_of_a_list_are_held_out_whole(tree):
    names = [f"{c}/{c}{k}_{i}.png" for c in "xy" for k in range(6) for i in range(3)]
    root = tree([*names, "test/0.png"])
    lines = [f"{name} {'xy'.index(name[0])}" for name in names]
    (root / "train.txt").write_text("\n".join(lines))
    (root / "test.txt").write_text("test/0.png 0\n")
    source = on_disk(group_by="^(.*)_")
    data = LongTailDataModule(source, root=str(root), profile=AsIs(), holdout=Holdout(fraction=0.3))
    data.setup("fit")
    parts = {
        split: {path.name.split("_")[0] for path in data._splits[split].paths}
        for split in ("train", "val")
    }
    assert parts["train"].isdisjoint(parts["val"])
    assert torch.bincount(data._splits["val"].labels).tolist() == [6, 6]


def test_totals_that_differ_are_named(lists):
    root = lists()
    totals = {"train": 4, "test": 2, "classes": 2, "largest": 2, "smallest": 2}
    assert listing(on_disk(totals=totals), root)["train"] == TRAIN
    message = refused(on_disk(totals={**totals, "train": 5, "val": 1, "smallest": 1}), root)
    assert "train 4 in place of 5, smallest 2 in place of 1, val 0 in place of 1" in message
    with pytest.raises(UserError, match="totals has 'trian'"):
        on_disk(totals={"trian": 4})


def test_labels_are_part_of_the_fingerprint(lists):
    def fingerprint(lines):
        data = LongTailDataModule(on_disk(), root=str(lists(lines)), profile=AsIs())
        data.setup("fit")
        return data.fingerprint

    swapped = [f"{line[:-1]}{1 - int(line[-1])}" for line in TRAIN]
    assert len({fingerprint(lines) for lines in (TRAIN, swapped, TRAIN[::-1])}) == 3


def test_any_bytes_are_a_list_or_a_sentence(lists):
    """Fuzz: what is in a list ends in a source or in one sentence, never otherwise."""
    root, draw = lists(), np.random.default_rng(0)
    marks = [b" ", b"\n", b"\r", b"\0", b"..", b"/", b"\xff", b"\t", b"9", b"\xe2\x80\xa8"]
    said = []
    for _ in range(300):
        data = bytearray("\n".join(TRAIN).encode())
        for _ in range(int(draw.integers(1, 4))):
            place, mark = int(draw.integers(len(data))), marks[int(draw.integers(len(marks)))]
            data[place : place + int(draw.integers(3))] = mark
        (root / "train.txt").write_bytes(bytes(data))
        try:
            on_disk().load(root)
        except UserError as error:
            said.append(str(error))
    assert all(sentence.isprintable() for sentence in said)
    assert 30 < len(said) <= 300


def _lines(folder, classes, total, largest, smallest):
    counts = np.full(classes, smallest)
    counts[0] = largest
    left, place = total - int(counts.sum()), 1
    while left:
        more = min(left, largest - smallest)
        counts[place] += more
        left, place = left - more, place + 1
    return [f"{folder}{c}/{k}.jpg {c}" for c in range(classes) for k in range(counts[c])]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) for name in NAMED],
)
def test_standard_lists_are_counted_and_their_archives_named(name, tmp_path):
    made = yaml.safe_load((CONFIGS / "data" / f"{name}.yaml").read_text(encoding="utf-8"))
    options = made["data"]["source"]["init_args"]
    totals, archives = options["totals"], options["archives"]
    for split in ("train", "val", "test"):
        if split in options:
            of_train = (totals["largest"], totals["smallest"])
            each = totals[split] // totals["classes"]
            sizes = of_train if split == "train" else (each, each)
            folder = list(archives)[0 if split == "train" else -1] + f"{split}_"
            lines = _lines(folder, totals["classes"], totals[split], *sizes)
            (tmp_path / options[split]).write_text("\n".join(lines))
    count = sum(totals[split] for split in ("train", "val", "test") if split in totals)
    message = refused(ImageList(**options), tmp_path)
    assert f"{count} of {count} images" in message
    assert all(archive in message for archive in archives.values())
    (tmp_path / options["train"]).write_text("\n".join([*lines[:9], "lost.jpg 1"]))
    assert "are not those that are meant" in refused(
        ImageList(**{**options, "test": None, "val": None, "test_fraction": 0.1}), tmp_path
    )
