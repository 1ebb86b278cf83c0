"""`lt report RUNS`: the table of finished runs."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from lt_lightning.errors import UserError
from lt_lightning.report.table import find_runs, load_rows, render


class _Refused(Exception):
    """The command line of `lt report` was refused."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(message)


def report(arguments: Sequence[str]) -> tuple[str, int]:
    """Return the text of `lt report` and its exit status."""
    parser = _Parser(prog="lt report", allow_abbrev=False, add_help=False)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--format", default="text")
    try:
        options = parser.parse_args(list(arguments))
        rows = load_rows(find_runs(options.runs, options.newest))
        text = render(rows, options.format)
    except _Refused as refused:
        return f"lt: lt report RUN [RUN ...] [--newest] [--format text|md|csv]: {refused}.", 2
    except UserError as error:
        return f"lt: {error}", 1
    if options.format != "text":
        return text, 0
    folders = list(dict.fromkeys(str(row.folder) for row in rows))
    return "\n".join([text, "", "Figures and all numbers:", *(f"  {f}" for f in folders)]), 0
