"""Tables of images, written and read."""

import pytest

from lt_lightning.data import ImageTable
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
