"""`lt data check SOURCE`: look at a folder, a table or a list of pictures before training."""

import argparse
import inspect as signatures
import sys
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.data import ImageFolder, ImageList, ImageTable
from lt_lightning.data.files import folders_in
from lt_lightning.data.image_table import METADATA
from lt_lightning.data.layout import layout_of, split_named
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.errors import UserError, counted
from lt_lightning.home import home
from lt_lightning.inspection import Asked, Inspection, inspect
from lt_lightning.inspection.told import chart, lines
from lt_lightning.runs import outputs
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.yaml_file import load_text

_TEST_FRACTION = 0.2  # where neither the pictures nor the command have a test split


def _plain(text: str, kind: type[dict[Any, Any]] | type[list[Any]]) -> Any:
    """Return a YAML mapping or list, a list as a tuple."""
    try:
        found = load_text(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no YAML") from error
    if not isinstance(found, kind):
        what = "mapping" if kind is dict else "list"
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no {what}")
    return tuple(found) if isinstance(found, list) else found


_OPTIONS: dict[str, Any] = {  # of the sources, and what their words become
    **dict.fromkeys(("test_fraction",), float),
    **dict.fromkeys(("test_per_class", "split_seed", "grey_bits"), int),
    "background": partial(_plain, kind=list),
    "split_values": partial(_plain, kind=dict),
    **dict.fromkeys(("group_by", "path_column", "label_column", "split_column"), str),
    **dict.fromkeys(("separator", "path_format", "test", "val", "names"), str),
}


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser("lt data check SOURCE [--out FILE.png]", __doc__)
    parser.add_argument("what", choices=["check"])
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--out", metavar="FILE.png")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--root", "--data.root", metavar="DIR")
    parser.add_argument(
        "--unreadable",
        "--data.source.unreadable",
        dest="data_unreadable",
        choices=["raise", "skip"],
        default=argparse.SUPPRESS,
    )
    for name, kind in _OPTIONS.items():
        parser.add_argument(
            f"--{name}",
            f"--data.source.{name}",
            dest=f"data_{name}",
            type=kind,
            default=argparse.SUPPRESS,
        )
    return parser.parse_args(argv)


def data(argv: list[str]) -> None:
    """Print what pictures there are, and draw the classes where a file is named.

    Raises:
        UserError: if training on them would be refused.
    """
    words = _parse(argv)
    asked = _asked(words)
    out = None if words.out is None else Path(words.out)
    if out:
        _check_out(out, asked, words.force)
    found = inspect(asked.source(), asked.root)
    for line in lines(found, asked):
        sys.stdout.write(f"{line}\n")
    if out:
        from lt_lightning.figures.png import draw_chart, to_png

        write_whole(out, to_png(draw_chart(chart(found))), "draw it again")
    _check(found, asked)


def _check(found: Inspection, asked: Asked) -> None:
    if not found.faults or (asked.skips and not found.refusal):
        return
    first = found.faults[0]
    remedy = first.remedy or "mend or remove them"
    if not found.refusal:
        remedy += ", or leave them out by --data.source.unreadable skip"
    raise UserError(
        f"Training would be refused: {counted(len(found.faults), 'image')} cannot be used, such as "
        f"{first.path}, which {first.fault}: {remedy}."
    )


def _asked(words: argparse.Namespace) -> Asked:
    given = vars(words)
    options = {k.removeprefix("data_"): v for k, v in given.items() if k.startswith("data_")}
    source = home(words.source)
    kind = _kind_of(source)
    for name in options:
        if name not in signatures.signature(kind).parameters:
            raise UserError(
                f"--{name} is no option of {kind.__name__}, as which {source} is read: take it "
                "away, or name another source."
            )
    if source.is_dir() and words.root is not None:
        raise UserError(f"--root is {words.root} but {source} is a folder itself: give one.")
    root = source if words.root is None else home(words.root)
    if not root.is_dir() and words.root is not None:
        raise UserError(f"--root is {root}, which is not a folder: give that of the images.")
    if not source.is_dir():
        root = source.parent if words.root is None else root
        options = {"file" if kind is ImageTable else "train": str(source.absolute()), **options}
    return _with_test(Asked(kind, root, options))


def _kind_of(source: Path) -> type[PictureSource]:
    if source.is_dir():
        below = [f for f in folders_in(source) if split_named(f.name)]
        tables = [folder / METADATA for folder in (source, *below)]
        return ImageTable if any(table.is_file() for table in tables) else ImageFolder
    kinds: dict[str, type[PictureSource]] = {
        ".txt": ImageList,
        ".csv": ImageTable,
        ".tsv": ImageTable,
    }
    found = kinds.get(source.suffix.lower())
    if found is None or not source.is_file():
        raise UserError(
            f"{source} is not a folder, a table (.csv, .tsv) or a list (.txt): give one of these."
        )
    return found


def _with_test(asked: Asked) -> Asked:
    """Return it with a share for the test where nothing else says what is tested."""
    shared = Asked(asked.kind, asked.root, {**asked.options, "test_fraction": _TEST_FRACTION})
    if {"test", "test_fraction", "test_per_class"} & set(asked.options):
        return asked
    if asked.kind is ImageFolder:
        return asked if layout_of(asked.root).splits else shared
    return asked if "test" in shared.source().find(asked.root).splits else shared


def _check_out(out: Path, asked: Asked, force: bool) -> None:
    if out.is_dir() or out.suffix.lower() != ".png":
        raise UserError(f"--out {out} is no name of a PNG file: end it in .png.")
    folder, root = out.resolve().parent, asked.root.resolve()
    if asked.kind is ImageFolder and folder != root and folder.is_relative_to(root):
        raise UserError(
            f"--out {out} would be one of the pictures in {asked.root}: give another folder."
        )
    outputs.take_file(out, force)
