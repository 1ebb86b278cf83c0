"""What a user can cause is told in one sentence, never as a traceback."""

import re
from pathlib import Path


class UserError(ValueError):
    """A mistake that the user can mend; the message holds the value and the remedy."""


class Agreed(UserError):
    """A mistake that all processes of a run have noticed together: the first one tells it."""


class Refused(SystemExit):
    """A command line that is not run: exit status 2.

    Args:
        sentence: what is wrong, and the remedy.
        key: the option it is about, where it is about one.
    """

    def __init__(self, sentence: str, key: str | None = None) -> None:
        super().__init__(2)
        self.sentence, self.key = sentence, key


class Finished(SystemExit):
    """A command that has nothing left to do: exit status 0, and nothing was written.

    Args:
        folder: the run that is finished.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(0)
        self.folder = folder


class Incomplete(SystemExit):
    """A command that did its work but for what was left out: exit status 3."""

    def __init__(self) -> None:
        super().__init__(3)


def one_sentence(text: str) -> str:
    """Return `text` on one line, its sentences joined by semicolons."""
    return re.sub(r"[.!?]\s+(?=\S)", "; ", " ".join(text.split()))


def counted(number: int, thing: str, several: str = "") -> str:
    """Return a number with what is counted, such as 1 picture or 2,000 pictures.

    Args:
        number: how many.
        thing: the word for one.
        several: the word for others, where it is not that with an s.
    """
    return f"{number:,} {thing if number == 1 else several or f'{thing}s'}"


def shown(sentence: str) -> str:
    """Return a sentence as a terminal gets it: one line, and no value longer than can be read."""
    return re.sub(r"(\S{100})\S{260,}(\S{40})", r"\1...\2", printable(sentence))


def printable(text: str) -> str:
    """Return `text` on one line; what cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
