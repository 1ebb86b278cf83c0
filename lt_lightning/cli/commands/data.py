"""`lt data check DIR`: look at a folder of pictures before training."""

import argparse
import sys
from pathlib import Path

from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.data import ImageFolder
from lt_lightning.data.layout import layout_of
from lt_lightning.errors import UserError
from lt_lightning.inspection import inspect
from lt_lightning.inspection.told import chart, lines
from lt_lightning.runs import lock
from lt_lightning.runs.files import write_whole

_TEST_FRACTION = 0.2


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser("lt data check DIR [--out FILE.png]", __doc__)
    parser.add_argument("what", choices=["check"])
    parser.add_argument("source", metavar="DIR")
    parser.add_argument("--out", metavar="FILE.png")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--test_fraction", type=float, default=_TEST_FRACTION)
    parser.add_argument("--grey_bits", type=int)
    return parser.parse_args(argv)


def data(argv: list[str]) -> None:
    """Print what is in the folder, and draw the classes where a file is named.

    Raises:
        UserError: if training on it would be refused.
    """
    options = _parse(argv)
    root, out = Path(options.source).expanduser(), options.out and Path(options.out)
    if out:
        _check_out(out, options.force)
    fraction = None if layout_of(root).splits else options.test_fraction
    source = ImageFolder(in_memory=False, test_fraction=fraction, grey_bits=options.grey_bits)
    found = inspect(source, root)
    for line in lines(found, root, fraction):
        sys.stdout.write(f"{line}\n")
    if out:
        from lt_lightning.figures.png import draw_chart, to_png

        write_whole(out, to_png(draw_chart(chart(found))), "draw it again")
    if found.faults:
        raise UserError(
            f"Training would be refused: {len(found.faults)} images cannot be used, such as "
            f"{found.faults[0].path}, which {found.faults[0].fault}: mend or remove them, or leave "
            "them out by --data.source.unreadable skip."
        )


def _check_out(out: Path, force: bool) -> None:
    if out.is_dir() or out.suffix.lower() != ".png":
        raise UserError(f"--out {out} is no name of a PNG file: end it in .png.")
    lock.take_output(out)
    if out.exists() and not force:
        raise UserError(f"--out {out} exists: add --force, or give another name.")
