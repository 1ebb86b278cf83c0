"""The parser of the commands that have a few options of their own."""

import argparse
from typing import NoReturn

from lt_lightning.errors import Refused


class CommandParser(argparse.ArgumentParser):
    """Options of one command; what it does not understand is refused in one sentence.

    Args:
        usage_line: how the command is given, which begins that sentence.
        description: what it does, for --help.
        epilog: what --help ends with.
    """

    def __init__(self, usage_line: str, description: str | None, epilog: str | None = None) -> None:
        prog = " ".join(usage_line.split()[:2])
        super().__init__(prog=prog, allow_abbrev=False, description=description, epilog=epilog)
        self._usage_line = usage_line

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise Refused(f"{self._usage_line}: {message}.")
