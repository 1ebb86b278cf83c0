"""Split folders of any usual name are understood; what can be read in two ways is refused."""

import pytest

from lt_lightning.data import AsIs, ImageFolder, LongTailDataModule
from lt_lightning.data.files import PassedOver
from lt_lightning.data.layout import files_of_classes, labelled_part, layout_of, split_like
from lt_lightning.errors import UserError
from lt_lightning.nearest import one_apart


def layout(tree, text):
    """`text` names folders of two classes a, b; one with a dot has the image itself."""
    names = []
    for word in text.split():
        inner = [word] if "." in word else [f"{word}/a/0.png", f"{word}/b/1.png"]
        names += inner
    return tree(names)


@pytest.mark.parametrize(
    ("text", "splits"),
    [
        ("train test", {"train", "test"}),
        ("Train TEST", {"train", "test"}),
        ("training testing validation", {"train", "val", "test"}),
        ("TRAINING Valid Test", {"train", "val", "test"}),
        ("train test more", {"train", "test"}),
        ("train/0.png bus/1.png", set()),
        ("Train/0.png TEST/0.png bus/1.png", set()),
        ("train/0.png training/1.png bus/2.png", set()),
        ("a/0.png b/1.png", set()),
        ("brain/0.png grain/1.png", set()),
        ("brain/x/0.png grain/y/1.png other/0.png", set()),
    ],
)
def test_what_is_plain_is_understood(tree, text, splits):
    root = layout(tree, text)
    found = layout_of(root)
    assert set(found.splits) == splits
    assert len(ImageFolder(8, test_fraction=0.5).class_names(root)) >= 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train Train test", "Train/ and train/ for one split"),
        ("train training", "train/ and training/ for one split"),
        ("train test testing", "test/ and testing/ for one split"),
        (
            "train bus/0.png",
            r"read in two ways, train/ as .* beside bus/: give --data.root .*rename",
        ),
        ("train/0.png train bus/0.png", "read in two ways"),
        ("train tests", "train/ and tests/, which looks like test/: rename it to test"),
        ("train eval test", "train/ and eval/, which looks like val/"),
        ("train test_images", "which looks like test/"),
        ("test_images train_images", "give --data.root .*train_images for its classes alone"),
        ("trian test", "test/ with class folders in it, but no train/"),
        ("trian tests", "look like splits, tests/ like test/ and trian/ like train/: rename"),
        ("trian/a/0.png", "look like splits, trian/ like train/"),
        ("test a/0.png b/0.png", "test/ with class folders in it, but no train/"),
        ("train/0.png test/1.png", "train holds images but no class folders"),
    ],
)
def test_what_is_not_is_refused_by_name(tree, text, told):
    root = layout(tree, text)
    with pytest.raises(UserError, match=told):
        ImageFolder(8, test_fraction=0.5).class_names(root)


def test_images_are_those_of_the_folders_that_are_named_otherwise(tree):
    root = layout(tree, "Training TEST valid")
    source = ImageFolder(8)
    assert source.has_validation(root)
    assert {name: len(images) for name, images in source.load(root).items()} == {
        "train": 2,
        "val": 2,
        "test": 2,
    }


def test_a_class_called_train_is_one(tree):
    root = tree([f"{c}/{k}.png" for c in ("bus", "test", "train") for k in range(4)])
    source = ImageFolder(8, test_fraction=0.25)
    assert source.class_names(root) == ["bus", "test", "train"]
    assert source.train_counts(root).tolist() == [3, 3, 3]


@pytest.mark.parametrize("name", ["test", "TEST", "Testing"])
def test_another_test_folder_is_found_by_any_of_its_names(tree, name):
    own, other = layout(tree, "train test"), tree([f"{name}/a/0.png"], root="other")
    module = LongTailDataModule(ImageFolder(8), root=str(own), profile=AsIs(), test_root=str(other))
    module.setup("test")
    assert len(module.eval_loader("test").images) == 1


@pytest.mark.parametrize("name", [".", "..", "../other/a", "x" * 300, "a/"])
def test_a_class_whose_name_is_no_folder_has_no_image(tree, name):
    """Trap: of a class that a table calls "." all images counted, of ".." those beside them."""
    root = tree(["test/a/0.png", "test/b/1.png", "c/2.png"], root="other")
    paths, labels = files_of_classes(root / "test", [name, "a", "b"], PassedOver())
    assert [path.name for path in paths] == ["0.png", "1.png"]
    assert labels == [1, 2]


def test_another_test_folder_in_two_ways_is_refused(tree):
    both = tree(["test/a/0.png", "a/0.png"], root="both")
    with pytest.raises(UserError, match="two ways, by test/ and by the class a/"):
        labelled_part(both, ["a", "b"])
    twice = tree(["test/a/0.png", "Test/a/0.png"], root="twice")
    with pytest.raises(UserError, match="Test/ and test/ for one split"):
        labelled_part(twice, ["a", "b"])
    named = tree(["test/0.png", "bus/0.png"], root="named")
    assert labelled_part(named, ["bus", "test"]) == named


def test_near_misses_of_split_names():
    near = {"trian": "train", "tests": "test", "Eval": "val", "train2017": "train", "vals": "val"}
    assert {name: split_like(name) for name in near} == near
    assert not any(map(split_like, ("train", "TEST", "cat", "vat", "owl", "a", "")))


def test_one_apart_is_one_change_of_letters():
    for one, other in (("cat", "cats"), ("cat", "at"), ("cat", "cut"), ("trian", "train")):
        assert one_apart(one, other)
        assert one_apart(other, one)
    for one, other in (("cat", "cat"), ("cat", "dog"), ("cat", "ct s"), ("cat", "catss")):
        assert not one_apart(one, other)
