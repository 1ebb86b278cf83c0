"""Hostile cases of what reads pictures and what hands a model on: predict, data check, export."""

import csv
import io
import shutil
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import hostile
import numpy as np
import torch
from PIL import Image
from world import Case

if TYPE_CHECKING:
    from cases import Maker

_CELLS = (
    "../0.png",
    "/dev/zero",
    "cat",
    "cat/none.png",
    "a\nb",
    "=cmd()",
    "nan",
    "1.0",
    "01",
    "\0",
)
_HEADERS = ("file", "label", "path", "split", "FILE", "", "class", "group", "é", "file\nx")
_SEPARATORS = (",", ",", ",", ";", "\t", "|")
_NAMES = (  # of folders and files to write; all are below the folder of the case
    *("x", "x.csv", "x.parquet", "x.png", "x.CSV", ".csv", "a/b.csv", "a\nb.csv", "é.csv"),
    *("a" * 300 + ".csv", "there", "there.csv", "there/x.csv", "link.csv", " .csv", "-x.csv"),
)
_PREDICT = (
    *("top_k", "batch_size", "threads", "device", "path_column", "label_column", "calibrated"),
    *("post_hoc", "post_hoc.tau", "images", "best", "nonsense"),
)
_EXPORT = ("format", "post_hoc", "post_hoc.tau", "calibrated", "best", "nonsense")
_DATA = (
    *("test_fraction", "test_per_class", "split_seed", "grey_bits", "background", "split_values"),
    *("group_by", "path_column", "label_column", "split_column", "separator", "path_format"),
    *("test", "val", "names", "root", "unreadable", "nonsense"),
)
_WORDS = [word for word in hostile.WORDS if word != "/"]  # which would be searched for pictures


def pictures(maker: "Maker") -> Path:
    """Return a folder of two classes of three pictures, made once."""
    root = maker.root / "pictures"
    if not root.exists():
        for shade, name in enumerate(("cat", "dog")):
            (root / name).mkdir(parents=True)
            for number in range(3):
                pixels = np.full((8, 8, 3), 80 * shade + 9 * number, dtype=np.uint8)
                Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def table(random: Random, root: Path, labels: tuple[str, str]) -> tuple[str, bytes, int]:
    """Return name and content of a damaged table or list, and how many pictures it names."""
    rows = [
        [f"{name}/{number}.png", label]
        for name, label in zip(("cat", "dog"), labels, strict=True)
        for number in range(3)
    ]
    header = ["file", "label"]
    for _ in range(random.choice((0, 1, 1, 2))):
        row = random.choice(rows)
        what = random.choice(("cell", "cell", "header", "less", "more", "again"))
        if what == "cell":
            row[random.randrange(len(row))] = random.choice((*_CELLS, *_WORDS))
        elif what == "header":
            header[random.randrange(2)] = random.choice(_HEADERS)
        elif what == "less" and len(row) > 1:
            row.pop()
        elif what == "more":
            row.append(random.choice(("", "x", "cat")))
        else:
            rows.append(list(row))
    if random.random() < 0.3:
        lines = "".join(f"{' '.join(row)}\n" for row in rows)
        return "x.txt", lines.encode(), -1
    text = io.StringIO()
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(text, delimiter=random.choice(_SEPARATORS), quoting=quoting)
    writer.writerows([header, *rows])
    content = text.getvalue().encode()
    if random.random() < 0.2:
        return "x.csv", hostile.damaged(random, content), -1
    return random.choice(("x.csv", "x.csv", "x.tsv")), content, len(rows)


def _table(maker: "Maker", folder: Path) -> Case:
    """`lt data check` of a damaged table or list."""
    root = pictures(maker)
    name, content, _ = table(maker.random, root, ("0", "1"))
    (folder / name).write_bytes(content)
    words = ["data", "check", str(folder / name), "--root", str(root)]
    return Case("table", words, f"{content[:300]!r}", kept=(root, folder))


def _list(maker: "Maker", folder: Path) -> Case:
    """`lt predict` of a damaged table or list; every picture that is named has a row."""
    root = Path(shutil.copytree(pictures(maker), folder / "root"))
    name, content, count = table(maker.random, root, ("3", "4"))
    (root / name).write_bytes(content)
    out = folder / "out.csv"
    words = ["predict", str(maker.run), "--images", str(root / name), "--out", str(out)]
    right = partial(_has_rows, out, count)
    return Case("list", words, f"{content[:300]!r}", kept=(root,), right=right)


def _has_rows(out: Path, count: int) -> bool:
    with out.open(newline="", encoding="utf-8") as stream:
        return count < 0 or len(list(csv.reader(stream))) == count + 1


def _predict(maker: "Maker", folder: Path) -> Case:
    """`lt predict` with one hostile option, or one hostile name of what it writes."""
    root, out = pictures(maker), folder / "out.csv"
    more = []
    if maker.random.random() < 0.3:
        out = _out(maker, folder)
        more = maker.random.choice(([], ["--force"]))
    else:
        more = _option(maker, _PREDICT)
    words = ["predict", str(maker.run), "--images", str(root), "--out", str(out), *more]
    kept = (root, maker.run, *([] if "--force" in more else [folder]))
    return Case("predict", words, str(words[5:])[:200], kept=kept)


def _out(maker: "Maker", folder: Path) -> Path:
    """Return a hostile place to write, beside what must stay."""
    (folder / "there").mkdir()
    (folder / "there.csv").write_text("mine")
    (folder / "link.csv").symlink_to(folder / "there.csv")
    return folder / maker.random.choice(_NAMES)


def _option(maker: "Maker", names: tuple[str, ...]) -> list[str]:
    name = maker.random.choice(names)
    return [f"--{name}={maker.random.choice(_WORDS)}"]


def _data(maker: "Maker", folder: Path) -> Case:
    """`lt data check` with one hostile option."""
    root = pictures(maker)
    source, more = root, []
    if maker.random.random() < 0.6:
        source, more = folder / "x.csv", ["--root", str(root)]
        rows = [f"{name}/{k}.png,{name},{k}" for name in ("cat", "dog") for k in range(3)]
        source.write_text("\n".join(["file,label,split_of", *rows]))
    if maker.random.random() < 0.2:
        more += ["--out", str(_out(maker, folder).with_suffix(".png"))]
    else:
        more += _option(maker, _DATA)
    return Case("data check", ["data", "check", str(source), *more], str(more)[:200], kept=(root,))


def _export(maker: "Maker", folder: Path) -> Case:
    """`lt export` of a checkpoint with other names, to a hostile place, or with an option."""
    run, out, more = maker.run, folder / "out", []
    what = maker.random.choice(("names", "out", "option", "option"))
    if what == "names":
        run = maker.copy(folder)
        content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
        names: list[Any] = [str(number) for number in range(10)]
        names[maker.random.randrange(10)] = maker.random.choice((*_CELLS, *_WORDS, 3, None))
        content["hyper_parameters"]["class_names"] = names
        torch.save(content, run / "checkpoints" / "last.ckpt")
    elif what == "out":
        out = _out(maker, folder)
    else:
        more = _option(maker, _EXPORT)
    words = ["export", str(run), "--format", "safetensors", "--out", str(out), *more]
    return Case("export", words, f"{what} {words[5:]!s:.200}", kept=(run, folder))


KINDS = {
    "table": _table,
    "list": _list,
    "predict": _predict,
    "data check": _data,
    "export": _export,
}
