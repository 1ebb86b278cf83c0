"""Images that a CSV names: columns, splits and paths."""

import csv
import shlex
import shutil

import pytest
import yaml
from image_tables import ROWS, listing, on_disk, refused, table, together

from lt_lightning.errors import UserError

__all__ = ["table"]  # a fixture


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
    for odd in ({"a": 1}, ["train"], 1):
        with pytest.raises(UserError, match="for 'a': give train, val, test or null"):
            on_disk(split_values={"a": odd})


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


def test_a_label_in_another_form_of_unicode_is_told_as_such(table):
    rows = [
        (p, label, split)
        for (p, _), label, split in zip(
            ROWS,
            ["caf\u00e9", "bar", "cafe\u0301", "bar"],
            ["train", "train", "test", "test"],
            strict=True,
        )
    ]
    source = on_disk(test_fraction=None)
    assert "in its Unicode form alone" in refused(source, table(rows, header="file,label,split"))
