"""The parser of the commands that have a few options of their own."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from lt_lightning.errors import Refused
from lt_lightning.runs.class_path import LARGEST, told


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

    def add_argument(self, *names: str, help: str | None = None, **more: Any) -> argparse.Action:
        """Add an option, whose help ends with the value that it has where nothing is said."""
        default = more.get("default")
        if help and isinstance(default, str | int | float) and default != argparse.SUPPRESS:
            help = f"{help} ({default:g})" if isinstance(default, float) else f"{help} ({default})"
        return super().add_argument(*names, help=help, **more)

    def parse_known_args(  # type: ignore[override]  # one of its three forms
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the options; an empty word is a variable of the shell that was not set.

        As a path it would name the folder that one is in. Of a number, no array here holds more
        than 64 bits.
        """
        words = sys.argv[1:] if args is None else args
        for place, word in enumerate(words):
            name, mark, value = word.partition("=")
            if word == "" or (word.startswith("--") and mark and value in ("", "--")):
                name = name or (words[place - 1] if place else "the first word")
                # argparse makes a list without a word of --name=--
                what = "the value --" if value else "an empty value"
                self.error(f"{name} has {what}: give another, or leave it out")
        options, rest = super().parse_known_args(words, namespace)
        for action in self._actions:
            given = vars(options).get(action.dest)
            for one in given if isinstance(given, list) else [given]:
                if isinstance(one, int) and not -LARGEST <= one < LARGEST:
                    name = "/".join(action.option_strings) or action.dest
                    self.error(f"{name} is {told(one)}: give a number of at most 64 bits")
        return options, rest

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise Refused(f"{self._usage_line}: {message}.")
