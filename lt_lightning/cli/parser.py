"""Parsing with short errors: what was wrong, and the nearest good name."""

import argparse
import difflib
import re
import sys
from typing import Any, NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from lt_lightning.cli.catalog import entries

_BAD_KEY = (
    r"[Oo]ption '([\w.]+)' is not accepted",
    r'does not accept option "?\'?([\w.\-]+)',
    r"[Uu]nrecognized arguments: --([\w.\-]+)",
    r"No action for key \"?'?([\w.]+)",
    r"Key '?\"?([\w.]+)\"?'? is not expected",
)
_BAD_CLASS = (
    r"Expected a dot import path string: ([\w.]+)",
    r"Import error for class path '?\"?([\w.]+)",
    r"Given value: ([A-Za-z_]\w*)\s*$",
)


class LTParser(LightningArgumentParser):
    """Says what was wrong in one line, and what may have been meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An abbreviated key (--trainer.max_epoch) would be taken for its longer namesake.
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def error(self, message: str, *args: Any, **kwargs: Any) -> NoReturn:
        """Write one sentence and leave with status 2."""
        sys.stderr.write(f"lt: {shorten(str(message), self)}\n")
        raise SystemExit(2)


def known_keys(parser: argparse.ArgumentParser) -> list[str]:
    """Return the dotted keys of a parser and of its subcommands."""
    keys: set[str] = set()
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for sub in action.choices.values():
                if isinstance(sub, argparse.ArgumentParser):
                    keys.update(known_keys(sub))
        keys.update(option.lstrip("-") for option in action.option_strings)
    return sorted(keys)


def shorten(message: str, parser: argparse.ArgumentParser) -> str:
    """Return the last cause of a parser message as one line, with a suggestion."""
    lines = [line.strip(" -") for line in message.splitlines() if line.strip(" -")]
    text = " ".join(dict.fromkeys(lines))
    for pattern in _BAD_KEY:
        found = re.search(pattern, text)
        if found:
            return _suggest(f"there is no option {found[1]!r}", found[1], known_keys(parser))
    for pattern in _BAD_CLASS:
        found = re.search(pattern, text)
        if found:
            names = [entry.name for entry in entries()]
            return _suggest(f"there is no class {found[1]!r}", found[1], names)
    if len(text) > 400:
        text = f"{text[:200]} ... {text[-190:]}"
    return text


def _suggest(what: str, name: str, known: list[str]) -> str:
    last = {key.rsplit(".", 1)[-1]: key for key in known}
    near = difflib.get_close_matches(name, known, 1, 0.6)
    near = near or [last[n] for n in difflib.get_close_matches(name.rsplit(".", 1)[-1], last, 1)]
    return f"{what}; did you mean {near[0]!r}?" if near else f"{what}; see `lt methods` and --help."
