"""Which files of an image folder are taken, with which label and in which split."""

import os
import shutil

import pytest
import torch

from lt_lightning.data import ImageFolder
from lt_lightning.data.decode import read_image
from lt_lightning.data.files import PassedOver, images_below
from lt_lightning.errors import UserError

AB = {"a": 3, "b": 2}


def listing(source, root):
    """Return split -> [(path below the root, class name)] as the source reads them."""
    names, files = source.class_names(root), {}
    for split, images in source.load(root).items():
        labels = [names[y] for y in images.labels.tolist()]
        paths = [str(p.relative_to(root)) for p in images.paths]
        files[split] = list(zip(paths, labels, strict=True))
    return files


def on_disk(**kwargs):
    return ImageFolder(in_memory=False, **kwargs)


def test_classes_are_the_sorted_folders_and_files_are_in_sorted_order(split_tree):
    root = split_tree({"zebra": 1, "Ant": 2}, {"Ant": 1, "zebra": 1})
    assert on_disk().class_names(root) == ["Ant", "zebra"]
    assert on_disk().train_counts(root).tolist() == [2, 1]
    assert listing(on_disk(), root) == {
        "train": [
            ("train/Ant/000.png", "Ant"),
            ("train/Ant/001.png", "Ant"),
            ("train/zebra/000.png", "zebra"),
        ],
        "test": [("test/Ant/000.png", "Ant"), ("test/zebra/000.png", "zebra")],
    }


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\nb"])
def test_a_class_whose_name_is_no_text_is_refused(split_tree, name):
    """Trap: it trains to the end, and then results.json cannot be written."""
    root = split_tree(AB, AB)
    os.rename(root / "train" / "b", os.path.join(os.fsencode(root / "train"), name))
    with pytest.raises(UserError, match=r"has the class folder .* rename it") as refused:
        on_disk().class_names(root)
    assert str(refused.value).isprintable()


def test_own_validation_folder_is_a_split(split_tree, tree):
    root = split_tree(AB, AB)
    assert not on_disk().has_validation(root)
    tree(["val/b/0.png"])
    assert on_disk().has_validation(root)
    assert listing(on_disk(), root)["val"] == [("val/b/0.png", "b")]


def test_nested_folders_and_upper_case_suffixes_belong_to_the_class(tree):
    root = tree(["train/a/x/y/0.PNG", "train/a/1.Jpeg", "train/b/0.png", "test/a/0.PnG"])
    assert [path for path, _ in listing(on_disk(), root)["train"]] == [
        "train/a/1.Jpeg",
        "train/a/x/y/0.PNG",
        "train/b/0.png",
    ]


def test_names_with_a_dot_in_front_and_other_files_are_passed_over(split_tree):
    root = split_tree(AB, AB)
    expected = listing(on_disk(), root)
    for name in ("train/a/._0.png", "train/a/.thumbs/0.png", "train/.cache/0.png"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"no image")
    for name in ("train/a/notes.txt", "train/readme.png", "train/a/0.png.part"):
        (root / name).write_text("no image")
    (root / "train/a/folder.png").mkdir()
    assert listing(on_disk(), root) == expected


def test_folder_below_a_hidden_one_is_taken(split_tree):
    root = split_tree(AB, AB, root=".hidden/data")
    assert len(listing(on_disk(), root)["train"]) == 5


def test_linked_class_folders_and_files_are_followed(split_tree, tmp_path):
    root = split_tree(AB, AB)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(root / "train/a", tmp_path / "elsewhere/a")
    (root / "train/a").symlink_to(tmp_path / "elsewhere/a")
    (root / "train/b/link.png").symlink_to(tmp_path / "elsewhere/a/000.png")
    assert on_disk().train_counts(root).tolist() == [3, 3]


LINKS = {  # where it is, what it leads to; what is read twice
    "train/z": ("../train", "train/a is read too"),
    "train/y": ("a", "train/a is read too"),
    "train/x": ("../test/b", "test/b is read too"),
    "train/w": ("..", "is read too"),
    "test/a": ("../train/a", "train/a is read too"),
    "val": ("test", "test/a is read too"),
}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_to_what_is_read_as_another_class_is_refused(split_tree, link):
    target, told = LINKS[link]
    root = split_tree(AB, AB)
    if link == "test/a":
        shutil.rmtree(root / link)
    (root / link).symlink_to(target)
    with pytest.raises(UserError, match=f"{link}.* is a link to .*{told}") as error:
        on_disk().load(root)
    assert str(error.value).endswith("with the same images: take the link away.")


def test_a_link_round_a_tree_without_splits_is_refused(tree):
    root = tree(["a/0.png", "a/1.png", "b/0.png", "b/1.png"])
    (root / "loop").symlink_to(root)
    with pytest.raises(UserError, match=r"loop is a link to .*, and .*a is read too"):
        on_disk(test_fraction=0.5).load(root)


def test_links_to_what_is_not_read_are_followed(split_tree, tmp_path):
    """A split on another disk, a class in a folder that is none of the splits, a linked root."""
    root = split_tree(AB, AB)
    (root / "pool").mkdir()
    shutil.move(root / "train/a", root / "pool/a")
    (root / "train/a").symlink_to("../pool/a")
    shutil.move(root / "test", tmp_path / "test")
    (root / "test").symlink_to(tmp_path / "test")
    (tmp_path / "linked").symlink_to(root)
    assert on_disk().train_counts(tmp_path / "linked").tolist() == [3, 2]


def test_class_without_test_images_is_allowed(split_tree):
    root = split_tree({"a": 2, "b": 2, "c": 2}, {"c": 1})
    (root / "test/b").mkdir()
    assert listing(on_disk(), root)["test"] == [("test/c/000.png", "c")]


def test_one_tree_is_split_in_every_class(tree):
    names = [f"{c}/{k}.png" for c, n in (("a", 10), ("b", 5), ("c", 2), ("d", 1)) for k in range(n)]
    root = tree(names)
    files = listing(on_disk(test_fraction=0.2), root)
    per_class = {s: [sum(y == c for _, y in rows) for c in "abcd"] for s, rows in files.items()}
    assert per_class == {"train": [8, 4, 1, 1], "test": [2, 1, 1, 0]}
    assert sorted(path for rows in files.values() for path, _ in rows) == sorted(names)
    for rows in files.values():
        assert rows == sorted(rows)


def test_split_of_one_tree_depends_on_its_seed_alone(tree):
    root = tree([f"{c}/{k}.png" for c in "ab" for k in range(20)])
    first = listing(on_disk(test_fraction=0.5), root)
    torch.rand(1, generator=torch.Generator().manual_seed(3))
    assert listing(on_disk(test_fraction=0.5), root) == first
    assert listing(on_disk(test_fraction=0.5, split_seed=1), root) != first


def test_large_share_leaves_a_training_image_in_every_class(tree):
    root = tree([f"{c}/{k}.png" for c in "ab" for k in range(3)])
    assert on_disk(test_fraction=0.999).train_counts(root).tolist() == [1, 1]


def test_names_of_any_alphabet_are_read(tree):
    root = tree([f"{s}/{c}/ж 猫.png" for s in ("train", "test") for c in ("Ärger", "日本")])
    assert on_disk().class_names(root) == ["Ärger", "日本"]
    assert len(ImageFolder(image_size=8).load(root)["train"]) == 2


def refused(source, root):
    with pytest.raises(UserError) as caught:
        source.load(root)
    return str(caught.value)


def test_class_that_is_only_in_test_is_named(split_tree):
    root = split_tree(AB, {**AB, "novel": 1})
    assert "'novel', which has no training images" in refused(on_disk(), root)


def test_empty_class_is_named_whatever_the_root_is_called(split_tree, tree):
    root = split_tree(AB, AB)
    (root / "train/c").mkdir()
    assert f"{root / 'train/c'} holds no image" in refused(on_disk(), root)
    root = tree(["a/0.png", "a/1.png", "b/0.png"], root="test")
    (root / "c").mkdir()
    assert f"{root / 'c'} holds no image" in refused(on_disk(test_fraction=0.5), root)


@pytest.mark.parametrize("split", ["test", "val"])
def test_split_without_images_is_named(split_tree, split):
    root = split_tree(AB, AB)
    shutil.rmtree(root / split, ignore_errors=True)
    (root / split).mkdir()
    assert f"The {split} split of {root} holds no image" in refused(on_disk(), root)


def test_missing_folders_are_told_with_the_option(tree, tmp_path):
    source = on_disk()
    assert "set --data.root" in refused(source, tmp_path / "nowhere")
    root = tree(["a/0.png", "b/0.png"], root="one_tree")
    assert "--data.source.test_fraction" in refused(source, root)
    root = tree(["train/a/0.png", "train/b/0.png"], root="no_test")
    assert f"--data.root {root / 'train'} --data.source.test_fraction" in refused(source, root)
    root = tree(["train/a/0.png", "test/a/0.png"], root="one_class")
    assert "has 1 class folders" in refused(source, root)
    root = tree(["0.png", "1.png"], root="flat")
    assert "has 0 class folders" in refused(source, root)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test_fraction", 0.0),
        ("test_fraction", 1.0),
        ("test_fraction", float("nan")),
        ("image_size", 0),
        ("split_seed", -1),
        ("split_seed", 10**30),
        ("test_per_class", 10**20),
        ("scale", 0.0),
        ("scale", 1.5),
    ],
)
def test_number_out_of_its_range_is_refused_with_its_name(name, value):
    with pytest.raises(UserError, match=f"{name} is {value}"):
        ImageFolder(**{name: value})


def test_every_list_of_images_passes_over_the_same(tree, tmp_path):
    root = tree(["a/0.png", "a/._1.png", "a/dir.png/2.png", "a/.hidden/3.png", "a/4.txt"])
    (root / "a" / "lost.png").symlink_to(tmp_path / "nowhere")

    found = [str(path.relative_to(root)) for path in images_below(root, PassedOver())]

    assert found == ["a/0.png", "a/dir.png/2.png", "a/lost.png"]


def test_a_pipe_among_the_images_is_not_waited_for(tree):
    root = tree(["a/0.png"])
    os.mkfifo(root / "a" / "1.png")
    with pytest.raises(UserError, match=r"1\.png cannot be read"):
        read_image(root / "a" / "1.png", 8)


def test_a_class_in_another_form_of_unicode_is_no_class_without_images(split_tree):
    """Trap: macOS writes a letter and its mark apart, and the remedy was to remove the folder."""
    root = split_tree({"caf\u00e9": 1, "bar": 1}, {"cafe\u0301": 1, "bar": 1})
    with pytest.raises(UserError, match="in its Unicode form alone: rename one as the other"):
        on_disk().load(root)
