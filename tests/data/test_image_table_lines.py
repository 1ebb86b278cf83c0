"""Images that a CSV names: groups, files, and lines that are refused by their number."""

import logging
import os
import shutil

import numpy as np
import pytest
from image_tables import ROWS, listing, on_disk, refused, table, together

from lt_lightning.data import AsIs, ImageTable, LongTailDataModule
from lt_lightning.errors import UserError

__all__ = ["table"]  # a fixture


def test_test_images_twice_over_or_none_are_refused(table):
    rows = [(*row, split) for row, split in zip(ROWS, "train train test test".split(), strict=True)]
    root = table(rows, "file,label,split")
    assert "a test split of its own, and test_fraction 0.5 is set" in refused(on_disk(), root)
    assert "names no test images" in refused(on_disk(test_fraction=None), table())


def test_groups_are_on_one_side_and_every_picture_has_one(tree):
    names = [f"{c}{k}.png" for c in "xy" for k in range(12)]
    root = tree(names)
    lines = [f"{name},{name[0]},s{int(name[1:-4]) // 3}" for name in names]
    (root / "images.csv").write_text("\n".join(["file,label,sender", *lines]))
    source = on_disk(test_fraction=0.25, group_by="sender")
    parts = {
        split: {int(p[1:-4]) // 3 for p, _ in rows} for split, rows in listing(source, root).items()
    }
    assert parts["train"].isdisjoint(parts["test"])
    assert source.train_counts(root).tolist() == [9, 9]
    (root / "images.csv").write_text("\n".join(["file,label,sender", *lines[:-1], "y11.png,y,"]))
    assert "Line 25 of" in refused(on_disk(group_by="sender"), root)


def test_groups_in_two_given_splits_are_told(table, caplog):
    splits = "train train test test".split()
    rows = [(*row, split, "eve") for row, split in zip(ROWS, splits, strict=True)]
    root = table(rows, "file,label,split,who")
    with caplog.at_level(logging.WARNING):
        on_disk(test_fraction=None, group_by="who").load(root)
    assert "1 group has images in the train and in the test split, such as 'eve'" in caplog.text


def test_metadata_of_a_folder_is_found(table, tree):
    root = table(header="file_name,label", name="metadata.csv")
    assert together(listing(on_disk(file=None), root)) == sorted(ROWS)
    shutil.rmtree(root)
    root = tree(["Train/0.png", "Train/1.png", "test/0.png"])
    (root / "Train/metadata.csv").write_text("file_name,label\n0.png,x\n1.png,y\n")
    (root / "test/metadata.csv").write_text("file_name,label\n0.png,x\n")
    split = {"train": [("Train/0.png", "x"), ("Train/1.png", "y")], "test": [("test/0.png", "x")]}
    assert listing(on_disk(file=None, test_fraction=None), root) == split
    for folder in ("Train", "test"):
        (root / folder / "metadata.csv").unlink()
    (root / "metadata.csv").write_text(
        "file_name,label\nTrain/0.png,x\nTrain/1.png,y\ntest/0.png,x\n"
    )
    assert listing(on_disk(file=None, test_fraction=None), root) == split
    assert "has no metadata.csv" in refused(on_disk(file=None), root / "Train")


def test_another_label_or_order_is_another_fingerprint(table):
    def fingerprint(rows):
        data = LongTailDataModule(on_disk(), root=str(table(rows)), profile=AsIs())
        data.setup("fit")
        return data.fingerprint

    swapped = [(path, "dog" if label == "cat" else "cat") for path, label in ROWS]
    renamed = [(path, label.replace("dog", "wolf")) for path, label in ROWS]
    assert len({fingerprint(some) for some in (ROWS, swapped, renamed, ROWS[::-1])}) == 4
    assert fingerprint(ROWS) == fingerprint(ROWS)


def test_images_of_memory_are_those_of_files(table, picture):
    root = table()
    images = ImageTable("images.csv", image_size=8, test_fraction=0.5).load(root)["train"]
    paths = on_disk().load(root)["train"].paths
    seeds = [[path for path, _ in ROWS].index(str(path.relative_to(root))) for path in paths]
    expected = np.stack([picture(seed) for seed in seeds])
    assert np.array_equal(images.images.permute(0, 2, 3, 1).numpy(), expected)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/etc/passwd,cat", "does not start from the root"),
        ("C:\\pictures\\0.png,cat", "does not start from the root"),
        ("../outside.png,cat", "leaves the root"),
        ("a/../../outside.png,cat", "leaves the root"),
        ("a\\..\\..\\outside.png,cat", "leaves the root"),
        (".,cat", "which is no file"),
        (",cat", "names no file"),
        ("a/0.png,", "has no label"),
        ("a/0.png", "has 1 cells but the first line names 2 columns"),
        ("a/0.png,cat,more", "has 3 cells"),
        ("a/0.png,cat", "again, after line 2"),
        ("./a//0.png,cat", "again, after line 2"),
        ("a/0.png,dog", "under the label 'dog', and line 2 has it under 'cat'"),
        ('"a/9.png,cat', "mend its quotation marks"),
        ('"a/\n9.png",cat', "a control character"),
        ('a/9.png,"c\nat"', "a control character"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_its_number(table, tmp_path, line, told):
    (tmp_path / "outside.png").write_bytes(b"")
    root = table(text="\n".join(["file,label", *(",".join(row) for row in ROWS), line, ""]))
    message = refused(on_disk(), root)
    assert told in message
    assert message.startswith("Line 6 of ")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "has no rows"),
        (b"file,label\n", "has no rows"),
        (b"file,label\na/0.png,caf\xe9\n", "Line 2 of .* is no text in UTF-8 .byte 0xe9"),
        ("file,label\na/0.png,x\n".encode("utf-16"), "is no text in UTF-8"),
        (b"file,label\na/0.png,x\nb\0,x\n", "Line 3 of .* has a NUL"),
        (b"name,kind\na/0.png,x\n", "no column of files .it has name, kind"),
        (b"file,kind\na/0.png,x\n", "no column of labels .it has file, kind"),
        (b"file,label,label\na/0.png,x,y\n", "has 2 columns 'label'"),
        (b"file,label\na/0.png,x\na/1.png,x\n", "have 1 labels .'x'."),
        (b"x" * 200_000 + b"\n1\n", "is no line of a CSV|no column"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(table, data, told):
    with pytest.raises(UserError, match=told):
        on_disk().load(table(text=data))


def test_missing_files_are_counted_before_training_or_left_out(table):
    rows = [*ROWS, ("a/8.png", "cat"), ("b/9.png", "dog"), ("a", "cat")]
    root = table(rows)
    message = refused(on_disk(), root)
    assert "3 of 7 images" in message
    assert "such as a/8.png (line 6)" in message
    assert len(together(listing(on_disk(unreadable="skip"), root))) == 4
    for name in ("a/1.png", "b/3.png"):
        (root / name).unlink()
    assert "No image of the class 'dog'" in refused(on_disk(unreadable="skip"), root)


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_links_out_of_the_root_are_refused_and_those_inside_are_not(table, tmp_path, linked):
    root = table()
    shutil.move(root / "b", root / "c")
    (root / "b").symlink_to("c")
    assert together(listing(on_disk(), root)) == sorted(ROWS)
    (root / "b").unlink()
    shutil.move(root / "c", tmp_path / "away")
    if linked == "folder":
        (root / "b").symlink_to(tmp_path / "away")
    else:
        (root / "b").mkdir()
        for name in ("2.png", "3.png"):
            (root / "b" / name).symlink_to(tmp_path / "away" / name)
    assert "b/2.png, a link that leads out of the root" in refused(on_disk(), root)
    linked_root = tmp_path / "linked"
    linked_root.symlink_to(root)
    assert "a link that leads out" in refused(on_disk(), linked_root)


def test_a_root_that_is_a_link_is_followed(table, tmp_path):
    (tmp_path / "linked").symlink_to(table())
    assert together(listing(on_disk(), tmp_path / "linked")) == sorted(ROWS)


def test_a_table_beside_the_root_is_found_and_two_are_refused(table, tmp_path, monkeypatch):
    root = table()
    monkeypatch.chdir(tmp_path)
    shutil.move(root / "images.csv", tmp_path / "images.csv")
    assert together(listing(on_disk(), root)) == sorted(ROWS)
    (root / "images.csv").write_text("file,label\n")
    assert "give the whole path of the one that is meant" in refused(on_disk(), root)
    assert "is no file, neither in" in refused(on_disk(file="lost.csv"), root)
    assert together(listing(on_disk(file=str(tmp_path / "images.csv")), root)) == sorted(ROWS)


def test_a_label_without_training_images_is_named(table):
    rows = [
        (*row, split) for row, split in zip(ROWS, "train train train test".split(), strict=True)
    ]
    rows[3] = ("b/3.png", "cow", "test")
    message = refused(on_disk(test_fraction=None), table(rows, "file,label,split"))
    assert "Line 5 of" in message
    assert "'cow', which has no training image" in message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"separator": ",,"}, "separator is ',,'"),
        ({"separator": ""}, "separator is ''"),
        ({"path_format": "images"}, "path_format is 'images'"),
        ({"path_format": "{}{x}"}, "path_format is"),
        ({"split_values": {"a": "tain"}}, "split_values has 'tain' for 'a'"),
        ({"label_column": "Label"}, "has no column 'Label' .*did you mean 'label'"),
        ({"group_by": "who"}, r"no column 'who' \(data.source.group_by\)"),
    ],
)
def test_options_that_cannot_be_are_refused(table, options, told):
    with pytest.raises(UserError, match=told):
        on_disk(**options).load(table())


def test_any_bytes_are_a_table_or_a_sentence(tree):
    """Fuzz: what is in a table ends in a source or in one sentence, never otherwise."""
    root, draw = tree([path for path, _ in ROWS]), np.random.default_rng(0)
    good = "\n".join(["file,label,split", *(f"{p},{y},train" for p, y in ROWS)]).encode()
    marks = [b",", b'"', b"\n", b"\r", b"\0", b"..", b"/", b"\xff", b";", b"\t", b"train", b"test"]
    said: list[str] = []
    for _ in range(300):
        data = bytearray(good)
        for _ in range(int(draw.integers(1, 4))):
            place, mark = int(draw.integers(len(data))), marks[int(draw.integers(len(marks)))]
            data[place : place + int(draw.integers(3))] = mark
        (root / "images.csv").write_bytes(bytes(data))
        try:
            found = on_disk().load(root)
        except UserError as error:
            said.append(str(error))
        else:
            assert all(os.path.isfile(path) for files in found.values() for path in files.paths)
    assert all(sentence.isprintable() for sentence in said)
    assert 30 < len(said) < 300


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=\t\n"])
def test_the_first_line_of_excel_names_the_separator(table, line):
    """Trap: it was the only column, and the option that was offered could not help."""
    mark = "\t" if "\t" in line else ";"
    text = line + "\n".join(mark.join(row) for row in [("file", "label"), *ROWS])
    assert together(listing(on_disk(), table(text=text))) == sorted(ROWS)
    lost = text.replace("b/3.png", "b/4.png")
    assert "such as b/4.png (line 6)" in refused(on_disk(), table(text=lost))


def test_paths_with_the_marks_of_windows_are_told_as_such(table):
    rows = [(path.replace("/", "\\"), label) for path, label in ROWS]
    assert refused(on_disk(), table(rows)).endswith(
        ": write / for \\ in the paths, and they are there."
    )
