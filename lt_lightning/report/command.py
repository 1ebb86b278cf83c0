"""`lt report RUNS`: tables and one page of finished runs."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from lt_lightning.errors import UserError, printable
from lt_lightning.report import classes
from lt_lightning.report.table import find_runs, load_rows, render
from lt_lightning.runs import outputs
from lt_lightning.runs.files import write_whole

MOST = 100  # pictures of mistakes
_MISTAKES = 12  # where no number is given
FORMATS = ("text", "md", "csv", "latex", "html")
_USAGE = (
    "lt report RUN [RUN ...] [--out FILE.html] [--format text|md|csv|latex|html] [--newest] "
    "[--features] [--mistakes [N]] [--classes] [--force]"
)
HELP = f"""\
{_USAGE}

One table of finished runs, or one page with figures that needs nothing from outside.
RUN is the folder of a finished run, a folder of runs, or a results.json.
  --newest         of a folder of runs only the newest
  --out FILE       write into a file; its suffix says how: .html, .md, .csv, .tex, .txt
  --format FORMAT  text (a row for each test of each run), md and latex (the survey's table),
                   csv (all metrics of all methods), html (needs --out)
  --force          write over a file that is no page of lt report
  --features       t-SNE of test features first, for the page
  --mistakes [N]   pictures of the N (12) most confident mistakes on the test images, and of the
                   rarest classes, first, for the page
  --classes        below the table of a terminal one of the classes of each test"""
_SUFFIXES = {
    ".html": "html", ".htm": "html", ".md": "md", ".csv": "csv", ".tex": "latex", ".txt": "text",
}  # fmt: skip


class _Refused(Exception):
    """The command line of `lt report` was refused."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(message)


def parse(arguments: Sequence[str]) -> argparse.Namespace | str:
    """Return the options of `lt report`, or what is wrong with them.

    --features and --mistakes are done before the report, for they need torch: see
    `cli/commands/report.py`.
    """
    try:
        options = _parser().parse_args(list(arguments))
        options.style = _style(options.format, options.out)
        if options.classes and options.style != "text":
            raise _Refused(f"--classes is for text and not for {options.style}, leave it out")
    except _Refused as refused:
        return f"{_USAGE}: {refused}."
    return options


def _parser() -> _Parser:
    parser = _Parser(prog="lt report", allow_abbrev=False, add_help=False)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--format")
    parser.add_argument("--out")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--features", action="store_true")
    parser.add_argument("--mistakes", nargs="?", type=_number, const=_MISTAKES)
    parser.add_argument("--classes", action="store_true")
    return parser


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= number <= MOST:
        what = f"{text!r:.60} is no number from 1 to {MOST}, or RUN must stand before it"
        raise argparse.ArgumentTypeError(what)
    return number


def on_images(arguments: Sequence[str]) -> bool:
    """Return whether `lt report` is to look at images again, for which torch is needed."""
    return any(word.partition("=")[0] in ("--features", "--mistakes") for word in arguments)


def report(
    arguments: Sequence[str], left_out: Mapping[Path, str] = MappingProxyType({})
) -> tuple[str, int]:
    """Return the text of `lt report` and its exit status.

    Args:
        arguments: the words after `lt report`.
        left_out: for runs whose pictures are not shown, by their folders, a sentence that says why.
    """
    options = parse(arguments)
    if isinstance(options, str):
        return f"lt: {options}", 2
    try:
        return _answer(options, options.style, left_out), 0
    except UserError as error:
        return f"lt: {error}", 1


def _style(given: str | None, out: str | None) -> str:
    """Return the format: the one that was asked for, else that of the file."""
    if given is not None and given not in FORMATS:
        raise _Refused(f"--format is {given!r}, give {', '.join(FORMATS)}")
    if out is None:
        if given == "html":
            raise _Refused("--format html needs --out FILE.html")
        return given or "text"
    suffix = Path(out).suffix.lower()
    if given is None and suffix not in _SUFFIXES:
        raise _Refused(f"--out is {out!r}, give a name that ends in {', '.join(_SUFFIXES)}")
    if given and _SUFFIXES.get(suffix, given) != given:
        raise _Refused(f"--format is {given!r} but --out is {out!r}, leave out --format")
    return given or _SUFFIXES[suffix]


def _answer(options: argparse.Namespace, style: str, left_out: Mapping[Path, str]) -> str:
    out = check_out(options)
    folders, passed_over = find_runs(options.runs, options.newest)
    for folder in passed_over:
        sys.stderr.write(f"lt: {printable(str(folder))} has no results yet and is passed over.\n")
    text = _text(folders, style, left_out)
    if options.classes:
        text = f"{text}\n\n{classes.told(folders)}"
    if out is not None:
        write_whole(out, (text + "\n").encode(), "write the report again")
        return f"{out}: {len(folders)} run{'s' if len(folders) > 1 else ''}"
    if style != "text":
        return text
    return "\n".join(
        [text, "", "Figures and all numbers:", *(f"  {printable(str(f))}" for f in folders)]
    )


def check_out(options: argparse.Namespace) -> Path | None:
    """Return the file to write, none where there is none to be.

    Raises:
        UserError: if the report would be written over what may be none.
    """
    if options.out is None:
        return None
    out = Path(options.out)
    if out.exists() and not out.is_dir() and not options.force and not _is_page(out):
        raise UserError(
            f"--out {out} exists and is no page of lt report: add --force, or remove it."
        )
    outputs.check_file(out, force=True)
    return out


def _is_page(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return b"<!-- lt report -->" in stream.read(200)
    except OSError:
        return False


def _text(folders: Sequence[Path], style: str, left_out: Mapping[Path, str]) -> str:
    if style == "text":
        return render(load_rows(folders))
    # Here, for these parts read YAML and draw; the table of a run is wanted at once.
    from lt_lightning.report.cell import Grid
    from lt_lightning.report.run import Run

    runs = [Run.read(folder) for folder in folders]
    if style == "html":
        from lt_lightning.report.page import page

        return page(runs, left_out)
    from lt_lightning.report import survey_text

    writers = {
        "md": survey_text.markdown,
        "latex": survey_text.latex,
        "csv": survey_text.comma_separated,
    }
    return writers[style](Grid.of(runs))
