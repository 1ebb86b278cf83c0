"""What every source of pictures keeps, found by introspection: one without a maker fails."""

import inspect

import pytest
import torch

from lt_lightning import data
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.source import FileImages, MemoryImages
from lt_lightning.errors import UserError

PICTURES = [
    kind
    for kind in (getattr(data, name) for name in data.__all__)
    if inspect.isclass(kind) and issubclass(kind, PictureSource)
]
FILES = [f"{c}/{c}{k}_{i}.png" for c in ("ant", "bee") for k in range(4) for i in range(2)]
OWN = {
    "ImageFolder": {"group_by": "^(.*)_"},
    "ImageList": {"group_by": "^(.*)_", "names": "names.txt"},
    "ImageTable": {"group_by": "track", "file": "images.csv"},
}


@pytest.fixture
def root(tree):
    """A folder that each source can read in its way."""
    found = tree(FILES)
    rows = [(path, path[:3], path.split("/")[1].split("_")[0]) for path in FILES]
    (found / "images.csv").write_text(
        "\n".join(["file,label,track", *(",".join(row) for row in rows)])
    )
    (found / "train.txt").write_text("\n".join(f"{p} {int(y == 'bee')}" for p, y, _ in rows))
    (found / "names.txt").write_text("ant\nbee\n")
    return found


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_source_of_pictures_keeps_what_the_data_module_counts_on(kind, in_memory, root):
    def make():
        return kind(**OWN[kind.__name__], in_memory=in_memory, image_size=8, test_fraction=0.25)

    source, again = make(), make()
    source.prepare(root)
    splits, names = source.load(root), source.class_names(root)
    assert names == ["ant", "bee"]
    assert set(splits) == {"train", "test"}
    assert ("val" in splits) == source.has_validation(root)
    train = splits["train"]
    assert torch.equal(source.train_counts(root), torch.bincount(train.labels, minlength=2))
    assert source.train_counts(root).tolist() == [6, 6]
    grouped = source.grouped(root)
    assert torch.equal(grouped.labels, train.labels)
    assert len(grouped.groups.unique()) == 6
    assert isinstance(train, MemoryImages if in_memory else FileImages)
    assert again.identity(root) == source.identity(root)
    assert torch.equal(again.load(root)["train"].labels, train.labels)
    image = train.images[0] if in_memory else train.read(train.paths[0], False)
    assert (image.shape, image.dtype) == ((3, 8, 8), torch.uint8)


@pytest.fixture
def given(tree):
    """The same pictures with a test split that each source reads in its way."""
    found = tree([f"{split}/{path}" for split in ("train", "test") for path in FILES])
    rows = [(f"{s}/{p}", p[:3], p[4:8], s) for s in ("train", "test") for p in FILES]
    lines = [",".join(row) for row in rows]
    (found / "images.csv").write_text("\n".join(["file,label,track,split", *lines]))
    for split in ("train", "test"):
        listed = [f"{p} {int(y == 'bee')}" for p, y, _, s in rows if s == split]
        (found / f"{split}.txt").write_text("\n".join(listed))
    (found / "names.txt").write_text("ant\nbee\n")
    return found


def made(kind, **options):
    test = {"test": "test.txt"} if kind.__name__ == "ImageList" else {}
    return kind(**{**OWN[kind.__name__], **test, "in_memory": False, **options})


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("option", [{"test_fraction": 0.25}, {"test_per_class": 1}])
def test_a_test_split_is_never_made_beside_a_given_one(kind, option, given):
    ((name, value),) = option.items()
    told = f"has a test split of its own, and {name} {value} is set"
    with pytest.raises(UserError, match=told):
        made(kind, **option).load(given)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("expression", ["^(.*)_", "(.*/.*)_"])
def test_groups_in_two_given_splits_are_told(kind, expression, given, caplog):
    by = {} if kind.__name__ == "ImageTable" else {"group_by": expression}
    source = made(kind, **by)
    source.load(given)
    source.load(given)
    told = [record.message for record in caplog.records if "groups have images" in record.message]
    assert len(told) == 1
    assert told[0].startswith("8 groups have images in the train and in the test split, such as ")


@pytest.mark.parametrize("kind", [kind for kind in PICTURES if kind.__name__ != "ImageTable"])
def test_test_images_whose_group_is_not_known_are_counted(kind, given, caplog):
    for path in (given / "test").rglob("*_0.png"):
        path.rename(path.with_name(path.name.replace("_", "-")))
    if kind.__name__ == "ImageList":
        text = (given / "test.txt").read_text()
        (given / "test.txt").write_text(text.replace("_0", "-0"))
    made(kind).load(given)
    assert "does not match 8 of 16 images of the test split, such as 'ant0-0.png'" in caplog.text
    assert "8 groups have images in the train and in the test split" in caplog.text


@pytest.mark.parametrize("kind", PICTURES)
def test_a_test_split_that_can_have_no_image_is_refused_with_its_remedy(kind, root):
    of = {"group_by": "label"} if kind.__name__ == "ImageTable" else {"group_by": "^..."}
    source = kind(**{**OWN[kind.__name__], **of}, in_memory=False, test_fraction=0.25)
    told = r"test_fraction 0\.25 takes no image of 16 images of 2 classes in 2 groups: every class"
    with pytest.raises(UserError, match=told):
        source.load(root)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_out_split_that_can_have_no_image_is_refused_with_its_remedy(kind, when, given):
    of = {"group_by": "label"} if kind.__name__ == "ImageTable" else {"group_by": "^..."}
    holdout = data.Holdout(fraction=0.3, when=when)
    module = data.LongTailDataModule(
        made(kind, **of), root=str(given), profile=data.AsIs(), holdout=holdout
    )
    told = r"data\.holdout\.fraction 0\.3 holds out no image of 16 images of 2 classes in 2 groups"
    with pytest.raises(UserError, match=told):
        module.setup("fit")


@pytest.mark.parametrize("kind", PICTURES)
def test_every_source_of_pictures_has_the_options_of_all(kind):
    shared = set.intersection(*(set(inspect.signature(one).parameters) for one in PICTURES))
    parts = {"image_size", "in_memory", "unreadable", "scale", "background", "grey_bits"}
    assert {*parts, "test_fraction", "test_per_class", "split_seed", "group_by"} <= shared
    mine, first = (inspect.signature(one).parameters for one in (kind, PICTURES[0]))
    assert [mine[name].default for name in shared] == [first[name].default for name in shared]
