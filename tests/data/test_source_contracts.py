"""What every source of pictures keeps, found by introspection: one without a maker fails."""

import inspect

import pytest
import torch

from lt_lightning import data
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.source import FileImages, MemoryImages

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


@pytest.mark.parametrize("kind", PICTURES)
def test_every_source_of_pictures_has_the_options_of_all(kind):
    shared = set.intersection(*(set(inspect.signature(one).parameters) for one in PICTURES))
    parts = {"image_size", "in_memory", "unreadable", "scale", "background", "grey_bits"}
    assert {*parts, "test_fraction", "test_per_class", "split_seed", "group_by"} <= shared
    mine, first = (inspect.signature(one).parameters for one in (kind, PICTURES[0]))
    assert [mine[name].default for name in shared] == [first[name].default for name in shared]
