"""Images that a CSV names: what is read of it, and what is refused with its line."""

import csv
import logging
import os
import shlex
import shutil

import numpy as np
import pytest
import yaml

from lt_lightning.data import AsIs, ImageTable, LongTailDataModule
from lt_lightning.errors import UserError

ROWS = [("a/0.png", "cat"), ("a/1.png", "dog"), ("b/2.png", "cat"), ("b/3.png", "dog")]


@pytest.fixture
def table(tree):
    """Makes images and a table of them; `text` is its content, or rows of (path, label, more)."""

    def make(rows=ROWS, header="file,label", name="images.csv", text=None, encoding="utf-8"):
        root = tree([path for path, *_ in ROWS])
        lines = [header, *(",".join(row) for row in rows)]
        content = "\n".join(lines) + "\n" if text is None else text
        data = content if isinstance(content, bytes) else content.encode(encoding)
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
        return root

    return make


def on_disk(**kwargs):
    kwargs = {"file": "images.csv", "test_fraction": 0.5, **kwargs}
    return ImageTable(in_memory=False, **kwargs)


def listing(source, root):
    names = source.class_names(root)
    return {
        split: [
            (str(path.relative_to(root)), names[label])
            for path, label in zip(images.paths, images.labels.tolist(), strict=True)
        ]
        for split, images in source.load(root).items()
    }


def refused(source, root):
    with pytest.raises(UserError) as caught:
        source.load(root)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 600
    return message


def together(parts):
    return sorted(pair for rows in parts.values() for pair in rows)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_or_given(table, separator):
    text = "\n".join(f"{path}{separator}{label}" for path, label in [("file", "label"), *ROWS])
    root = table(text=text)
    assert together(listing(on_disk(), root)) == sorted(ROWS)
    assert together(listing(on_disk(separator=separator), root)) == sorted(ROWS)
    assert on_disk().train_counts(root).tolist() == [1, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lines_and_marks_of_any_system_are_read(table, end, encoding):
    text = end.join(["file,label", *(",".join(row) for row in ROWS), "", ""])
    assert together(listing(on_disk(), table(text=text, encoding=encoding))) == sorted(ROWS)


def test_columns_are_named_and_a_path_is_made_of_one(tree):
    root = tree(["images/x1.png", "images/x2.png", "images/y1.png", "images/y2.png"])
    lines = ["id;who;what", "x1;eve;cat", "x2;eve;cat", "y1;bob;'dog'", "y2;bob;'dog'"]
    (root / "list.csv").write_text("\n".join(lines))
    columns = {"file": "list.csv", "path_column": "id", "label_column": "what"}
    source = on_disk(**columns, path_format="images/{}.png")
    assert source.class_names(root) == ["'dog'", "cat"]
    assert {path for path, _ in together(listing(source, root))} == {
        f"images/{name}.png" for name in ("x1", "x2", "y1", "y2")
    }


def test_quoted_cells_with_separators_and_line_ends(tree):
    root = tree(["a, b.png", "c.png", "d.png", "e.png"])
    text = 'file,label,note\n"a, b.png",x,"two\nlines"\nc.png,x,\nd.png,y,\nlost.png,y,\ne.png,y,\n'
    (root / "images.csv").write_text(text)
    assert "'a, b.png'" not in refused(on_disk(), root)
    assert "lost.png (line 6)" in refused(on_disk(), root)


def test_numbers_are_in_their_order_and_names_sorted(table):
    rows = [(path, label) for (path, _), label in zip(ROWS, ["10", "9", "10", "9"], strict=True)]
    assert on_disk().class_names(table(rows)) == ["9", "10"]
    rows = [(path, label) for (path, _), label in zip(ROWS, ["1", "01", "2", "2"], strict=True)]
    assert "the same number" in refused(on_disk(), table(rows))


@pytest.mark.parametrize(
    "labels",
    [
        "-10 -9 -1 0",
        "-1 +2 10 11",
        "1.0 2.0 10.0 11.5",
        "-0.5 .5 2 10.",
    ],
)
def test_numbers_of_any_sign_and_with_decimals_are_in_their_order(table, labels):
    wanted = labels.split()
    rows = [(path, label) for (path, _), label in zip(ROWS, wanted[::-1], strict=True)]
    root = table(
        [(*row, "train") for row in rows] + [("b/4.png", wanted[0], "test")], "file,label,split"
    )
    (root / "b/4.png").write_bytes((root / "b/3.png").read_bytes())
    assert on_disk(test_fraction=None).class_names(root) == wanted


@pytest.mark.parametrize("pair", ["1 1.0", "-0 0", "+7 7", "0.5 .50"])
def test_one_number_in_two_spellings_is_refused(table, pair):
    one, other = pair.split()
    rows = [(p, label) for (p, _), label in zip(ROWS, [one, other, "30", "30"], strict=True)]
    assert "the same number" in refused(on_disk(), table(rows))


def test_a_split_column_with_the_usual_names_or_given_ones(table):
    rows = [
        (*row, split) for row, split in zip(ROWS, "Train training TEST val".split(), strict=True)
    ]
    root = table(rows, "file,label,split")
    found = listing(on_disk(test_fraction=None), root)
    assert {split: len(files) for split, files in found.items()} == {
        "train": 2,
        "val": 1,
        "test": 1,
    }
    assert on_disk(test_fraction=None).has_validation(root)
    rows = [(*row, fold) for row, fold in zip(ROWS, "0 0 1 2".split(), strict=True)]
    root = table(rows, "file,label,fold")
    folds = on_disk(
        test_fraction=None, split_column="fold", split_values={"0": "train", "1": "test", "2": None}
    )
    assert listing(folds, root) == {"train": ROWS[:2], "test": ROWS[2:3]}
    message = refused(on_disk(split_column="fold"), root)
    assert "Line 2 of" in message
    assert "--data.source.split_values '{\"0\": train}'" in message


AWKWARD = [
    "0",
    "-1",
    "1.0",
    "yes",
    "null",
    "it's",
    'a "b"',
    "a: b",
    "caf\u00e9",
    "{x}",
    "a\\b",
    "#1",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_the_remedy_for_a_split_is_what_a_shell_and_yaml_read(tree, value):
    """The words of the message are put on a command line, and what becomes of them is used."""
    root = tree([path for path, _ in ROWS])
    with (root / "images.csv").open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerows([("file", "label", "split"), *((*row, value) for row in ROWS[:2])])
        lines.writerows([(*row, "test") for row in ROWS[2:]])
    message = refused(on_disk(test_fraction=None), root)
    remedy = message.split(" by ", 1)[1].removesuffix(", or null to leave its images out.")
    option, text = shlex.split(remedy)
    assert option == "--data.source.split_values"
    source = on_disk(test_fraction=None, split_values=yaml.safe_load(text))
    assert [len(images) for images in source.load(root).values()] == [2, 2]


def test_whole_numbers_in_yaml_are_values_of_a_split_column(table):
    rows = [(*row, fold) for row, fold in zip(ROWS, "0 0 1 2".split(), strict=True)]
    root = table(rows, "file,label,split")
    folds = on_disk(test_fraction=None, split_values={0: "train", 1: "test", 2: None})
    assert listing(folds, root) == {"train": ROWS[:2], "test": ROWS[2:3]}
    for odd in (True, 1.0, None):
        with pytest.raises(UserError, match="which YAML takes for no text: write it in double"):
            on_disk(split_values={odd: "train"})


def test_values_of_splits_that_are_not_there_are_refused(table):
    rows = [(*row, split) for row, split in zip(ROWS, "0 0 test test".split(), strict=True)]
    values = {"0": "train", "9": "test"}
    root = table(rows, "file,label,split")
    message = refused(on_disk(test_fraction=None, split_values=values), root)
    assert "split_values has '9' but no line of" in message
    assert "has it in its column split" in message
    assert "split_values has '0'" in refused(on_disk(split_values={"0": "train"}), table())


@pytest.mark.parametrize(
    ("split", "told"), [("test", "Line 2 of"), ("odd", "say what it is by"), ("", "the split ''")]
)
def test_a_split_column_that_says_other_than_its_folder_is_refused(tree, split, told):
    root = tree(["train/0.png", "train/1.png", "test/0.png"])
    (root / "train/metadata.csv").write_text(
        f"file_name,label,split\n0.png,x,{split}\n1.png,y,train\n"
    )
    (root / "test/metadata.csv").write_text("file_name,label\n0.png,x\n")
    message = refused(on_disk(file=None, test_fraction=None), root)
    assert told in message
    assert split != "test" or "has the split test but lies in the folder of train" in message


def test_a_split_column_that_agrees_with_its_folder_is_read(tree):
    root = tree(["train/0.png", "train/1.png", "train/2.png", "test/0.png"])
    (root / "train/metadata.csv").write_text(
        "file_name,label,split\n0.png,x,train\n1.png,y,Training\n2.png,y,spare\n"
    )
    (root / "test/metadata.csv").write_text("file_name,label\n0.png,x\n")
    source = on_disk(file=None, test_fraction=None, split_values={"spare": None})
    split = {"train": [("train/0.png", "x"), ("train/1.png", "y")], "test": [("test/0.png", "x")]}
    assert listing(source, root) == split


@pytest.mark.parametrize("cell", ["/a/0.png", "\\a\\0.png", "C:/a/0.png", "C:a", "../a/0.png"])
def test_no_part_of_a_path_is_absolute(table, tree, cell):
    """Trap: behind a prefix a path that starts from / looks as one below the root."""
    root = table([(cell, "cat"), *ROWS[1:]])
    for path_format in ("{}", "a/{}", "./{}"):
        assert "Line 2 of" in refused(on_disk(path_format=path_format), root)
    (root / "train").mkdir()
    shutil.copy(root / "images.csv", root / "train/metadata.csv")
    for path_format in ("{}", "/tmp/{}"):
        message = refused(on_disk(file=None, path_format=path_format), root)
        assert "Line 2 of" in message
        assert "does not start from the root" in message or "leaves the root" in message


def test_a_prefix_and_a_cell_may_share_a_slash(tree):
    root = tree(["a/0.png", "a/1.png", "a/2.png", "a/3.png"])
    (root / "images.csv").write_text("file,label\n/0.png,x\n/1.png,x\n/2.png,y\n/3.png,y\n")
    assert len(together(listing(on_disk(path_format="a{}"), root))) == 4


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
    assert "1 groups have images in the train and in the test split, such as 'eve'" in caplog.text


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
