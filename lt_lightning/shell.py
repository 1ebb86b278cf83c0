"""Words of a command that a message suggests, which a shell and `lt` take as they are written."""

import shlex
from pathlib import Path


def named(path: str | Path) -> str:
    """Return a path as a word that `lt` takes for a path, not for an option or for nothing.

    That is -d, which looks like an option, and what YAML reads as nothing, such as #h or null.
    """
    text = str(path)
    odd = text and not (text[0].isalnum() or text[0] in "/._")
    return f"./{text}" if odd or text.lower() == "null" else text


def word(path: str | Path) -> str:
    """Return a path as a word of a command, in quotes where a shell would part it."""
    return shlex.quote(named(path))
