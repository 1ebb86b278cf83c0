"""`lt data check SOURCE` tells what pictures there are, and how to go on."""

import shutil

import numpy as np
import pytest
from lt_runs import in_process
from PIL import Image

from lt_lightning.data import ImageFolder
from lt_lightning.inspection import inspect, look_at, seen


def check(folder, *more):
    answer = in_process(["data", "check", str(folder), *more])
    return answer, answer.out


def test_a_sound_folder_is_told_and_can_be_trained_on(folder):
    answer, out = check(folder)
    assert answer.status == 0, answer.err
    assert "2 classes, images: 6 in train, 2 in test" in out
    assert "few: 2 classes, 6 training images" in out
    assert "pixels: 12x8 to 12x10, in the middle 12x8" in out
    assert "- nothing odd was found" in out
    last = out.splitlines()[-1]
    assert last.endswith(f"--config balanced_softmax --config data/folder --data.root {folder}")


def test_a_folder_without_test_is_split_as_the_command_says(folder):
    answer, out = check(folder / "train")
    assert answer.status == 0, answer.err
    assert out.splitlines()[-1].endswith("--data.source.test_fraction 0.2")


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        (("--out", "{}/train/cat/x.png"), 1, "would be one of the pictures"),
        (("--out", ""), 2, "--out has an empty value"),
        (("--group_by=--",), 2, "--group_by has the value --"),
        (("--split_values", "[1]"), 2, "'[1]' is no mapping"),
        (("--background", "{{a: 1}}"), 2, "'{a: 1}' is no list"),
        (("--test_per_class", "9" * 20), 2, "test_per_class is 999"),
        (("--split_seed", "9" * 30), 2, "split_seed is 999"),
    ],
)
def test_what_it_cannot_be_asked_is_refused(folder, more, status, says):
    answer, out = check(folder, *(word.format(folder) for word in more))
    assert (answer.status, out) == (status, "")
    assert says in answer.err
    assert not (folder / "train/cat/x.png").exists()


def test_everything_odd_is_found(folder):
    train, test = folder / "train", folder / "test"
    shutil.copy(train / "cat/0.png", train / "cat/again.png")
    Image.open(train / "cat/1.png").save(train / "owl/other.bmp")  # other bytes, the same pixels
    shutil.copy(train / "owl/2.png", test / "owl/1.png")
    shutil.copytree(train / "owl", train / "Owl")
    (train / "Owl/0.png").unlink()
    (train / "notes.txt").write_text("no image")
    (train / "cat/notes.txt").write_text("no image")
    (train / "cat/torn.png").write_bytes((train / "cat/0.png").read_bytes()[:60])
    answer, out = check(folder)
    assert answer.status == 1
    assert "Training would be refused: 1 image cannot be used" in answer.err
    assert "1 .txt" in answer.err
    assert "1 of the images cannot be read (" in out
    assert "such as train/cat/torn.png" in out
    assert "the same picture is under two classes: 3 pictures" in out
    assert "the same picture is there twice: 1 picture," in out
    assert "1 class has no image in test: Owl" in out
    assert "'Owl' and 'owl' (case)" in out
    assert out.splitlines()[-1].endswith("--data.source.unreadable skip")


def test_every_kind_of_fault_is_named_with_a_file_and_its_remedy(folder):
    cat = folder / "train/cat"
    (cat / "torn.png").write_bytes((cat / "0.png").read_bytes()[:60])
    Image.fromarray(np.full((8, 8), 0.5, dtype=np.float32)).save(cat / "float.tif")
    Image.fromarray(np.full((8, 8), 4000, dtype=np.uint16)).save(cat / "dark.png")
    Image.fromarray(np.full((8, 8), 70_000, dtype=np.int32)).save(cat / "wide.tif")
    Image.new("LAB", (8, 8)).save(cat / "lab.tif")
    _, out = check(folder)
    for name, remedy in (
        ("torn.png", ""),
        ("float.tif", ": convert it to 8 bits a channel"),
        ("dark.png", ": set --data.source.grey_bits 12 if its greys have 12 bits"),
        ("wide.tif", ": convert it to 8"),
        ("lab.tif", ": convert it to 8 bits a channel"),
    ):
        assert f", such as train/cat/{name}{remedy}" in out
    assert "other faults" not in out


def test_what_is_counted_is_divided_as_training_divides_it(folder):
    for name in ("cat", "owl"):
        for k in range(3, 11):
            Image.new("RGB", (8, 8), (k, 0, 0)).save(folder / f"train/{name}/{k}.png")
    for k in range(6):
        (folder / f"train/cat/{k}.png").write_bytes(b"torn")
    options = {"in_memory": False, "unreadable": "skip", "test_fraction": 0.3}
    trained = ImageFolder(**options).found(folder / "train").splits
    found = inspect(ImageFolder(**options), folder / "train")
    assert len(found.faults) == 6
    assert not found.refusal
    assert found.counts == {
        split: [files.labels.count(c) for c in (0, 1)] for split, files in trained.items()
    }
    twice = {path for group in found.twins.splits for path in group}
    assert twice <= {path for files in trained.values() for path in files.paths}


def test_the_same_picture_in_two_splits_is_found(folder):
    shutil.copy(folder / "train/owl/2.png", folder / "test/owl/1.png")
    _, out = check(folder)
    assert "in two splits: 1 picture, such as train/owl/2.png = test/owl/1.png" in out


def test_the_classes_are_drawn(folder, tmp_path):
    out = tmp_path / "classes.png"
    assert check(folder, "--out", str(out))[0].status == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"
    answer, _ = check(folder, "--out", str(out))
    assert (answer.status, "exists: add --force" in answer.err) == (1, True)
    assert check(folder, "--out", str(tmp_path / "a.pdf"))[0].status == 1


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((), 2, "lt data check SOURCE"),
        (("look", "x"), 2, "invalid choice: 'look'"),
        (("check",), 2, "SOURCE"),
        (("check", "nowhere"), 1, "nowhere is not a folder"),
        (("check", ".", "--test_fraction", "2"), 1, "test_fraction is 2"),
        (("check", "own", "--test_fraction", "7"), 1, "test_fraction is 7"),
        (("check", "own", "--test_fraction", "0.2"), 1, "has a test split of its own"),
        (("check", "own", "--test_per_class", "0"), 1, "test_per_class is 0"),
        (("check", "own", "--split_seed", "-1"), 1, "split_seed is -1"),
        (("check", "own", "--grey_bits", "7"), 1, "grey_bits is 7"),
        (("check", "own", "--grey_bits", "x"), 2, "invalid int value: 'x'"),
        (("check", "own", "--background", "[0, 0, 256]"), 1, "background is [0, 0, 256]"),
        (("check", "own", "--background", "red"), 2, "'red' is no list"),
        (("check", "own", "--background", "[&a [*a]"), 2, "is no YAML"),
        (("check", "own", "--group_by", "("), 1, "no regular expression"),
        (("check", "own", "--unreadable", "no"), 2, "invalid choice: 'no'"),
        (("check", "own", "--path_column", "x"), 1, "--path_column is no option of ImageFolder"),
        (("check", "own", "--root", "x"), 1, "--root is x but own is a folder itself"),
        (("check", "own/photo.png"), 1, "photo.png is not a folder, a table"),
        (("check", "own/train/cat/0.png"), 1, "0.png is not a folder, a table"),
    ],
)
def test_a_mistake_is_one_sentence(words, status, says, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "a").mkdir()
    answer = in_process(["data", *words])
    assert answer.status == status
    assert says in answer.err
    assert len(answer.err.splitlines()) == 1


def test_pictures_are_looked_at_once_and_read_when_they_change(folder, monkeypatch):
    read, original = [], seen.picture_of
    monkeypatch.setattr(seen, "picture_of", lambda *of: read.append(of[0]) or original(*of))
    source = ImageFolder(in_memory=False)
    first = inspect(source, folder)
    assert len(read) == 8
    assert inspect(ImageFolder(in_memory=False), folder) == first
    assert len(read) == 8
    Image.new("RGB", (9, 9)).save(folder / "train/cat/0.png")
    assert (9, 9) in inspect(ImageFolder(in_memory=False), folder).sizes


def test_a_fault_that_may_pass_is_looked_at_again(folder, monkeypatch):
    paths, reading = [folder / "train/cat/0.png", folder / "train/cat/1.png"], ImageFolder().reading
    read, original = [], seen.picture_of

    def of(path, *more):
        read.append(path)
        if path == paths[1] and len(read) < 4:
            raise seen.Unreadable("it cannot be read", passing=True)
        return original(path, *more)

    monkeypatch.setattr(seen, "picture_of", of)
    faults = [[one.fault for one in look_at(paths, folder, reading)] for _ in range(3)]
    assert faults == [["", "cannot be read"], ["", "cannot be read"], ["", ""]]
    assert sorted(read) == sorted([*paths, paths[1], paths[1]])


@pytest.mark.parametrize("text", ["", "[]", "[[1, 2, 3, 4]]", "{}", '[["a"]]'])
def test_a_damaged_cache_is_made_again(folder, text):
    paths = [folder / "train/cat/0.png"]
    reading = ImageFolder().reading
    wanted = look_at(paths, folder, reading)
    (kept,) = seen.cache_folder().glob("*.json")
    kept.write_text(text)
    assert look_at(paths, folder, reading) == wanted


def test_a_root_that_is_no_folder_is_told_by_its_option(tmp_path):
    (tmp_path / "t.csv").write_text("file,label\na.png,cat\n", encoding="utf-8")
    answer = in_process(["data", "check", str(tmp_path / "t.csv"), "--root", "nope"])
    assert answer.status == 1
    assert "--root is nope, which is not a folder: give that of the images." in answer.err
