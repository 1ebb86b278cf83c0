"""The words of a command line: a flag, an inline value (`--a=b`), or a flag and its next word.

Also the order in which they count: the files of --config, a later one over an earlier one, then
the keys, wherever they stand.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lt_lightning.errors import Refused

CONFIG = "--config"
_SHORT = "-c"  # of --config
_METHOD = "model"  # the one class that has no default
_SWITCHES = (
    *("--best", "--force", "--skip_unreadable", "--no_probabilities"),
    *("--features", "--classes", "--newest"),
    *("--help", "-h", "--print_config"),
)
_FLAG = re.compile(r"--|-[A-Za-z]")  # and not -1, which is a value
_CLASS = re.compile(r"([A-Za-z_]\w*\.)*[A-Z]\w*")


@dataclass(frozen=True)
class Item:
    """One option, or a word that belongs to none.

    Attributes:
        flag: with its dashes, `--config` also for `-c`; empty for a word that belongs to none.
        value: of the option, or the word; none where the flag stands alone.
        words: as they were written.
    """

    flag: str
    value: str | None
    words: tuple[str, ...]

    @property
    def key(self) -> str:
        """The dotted key; `--list+` adds to the key `list`."""
        return self.flag.lstrip("-").removesuffix("+")

    @property
    def is_file(self) -> bool:
        """Whether it is a config file."""
        return self.flag == CONFIG and self.value is not None

    def is_below(self, key: str) -> bool:
        """Return whether it is the option `key`, or one of its options."""
        return f"{self.key}.".startswith(f"{key}.")


def items(argv: Sequence[str]) -> list[Item]:
    """Return the options of a command line, in their order."""
    found: list[Item] = []
    place = 0
    while place < len(argv):
        word = argv[place]
        step = 1
        flag, equals, inline = word.partition("=")
        if not _FLAG.match(word):
            found.append(Item("", word, (word,)))
        elif word.startswith(_SHORT) and word != _SHORT:  # -cFILE and -c=FILE
            found.append(Item(CONFIG, word[len(_SHORT) :].removeprefix("="), (word,)))
        elif equals:
            found.append(Item(flag, inline, (word,)))
        else:
            more = argv[place + 1 : place + 2]
            if word in _SWITCHES or not more or _FLAG.match(more[0]):
                more = []
            step += len(more)
            name = CONFIG if word == _SHORT else word
            found.append(Item(name, more[0] if more else None, (word, *more)))
        place += step
    return found


def check(argv: Sequence[str]) -> None:
    """Refuse a word that could not be written into the record of a run.

    Raises:
        Refused: if there is one.
    """
    for word in argv:
        if "\0" in word or (not word.isascii() and _is_no_text(word)):
            raise Refused(f"{word!r} is no text in UTF-8: give the file or folder another name.")


def _is_no_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # bytes that Python could not read
        return True
    return False


def files(argv: Sequence[str]) -> list[str]:
    """Return the files after --config or -c, in their order."""
    return [str(item.value) for item in items(argv) if item.is_file]


def first_below(argv: Sequence[str], key: str) -> str | None:
    """Return the first flag that gives `key` or an option of it, or none."""
    return next((item.flag for item in items(argv) if item.is_below(key)), None)


def without(argv: Sequence[str], key: str) -> list[str]:
    """Return the words but for those that give `key`."""
    return [word for item in items(argv) if item.key != key for word in item.words]


def apart(argv: Sequence[str], key: str) -> tuple[list[str], list[str]]:
    """Return the words without those that give `key` or an option of it, and those."""
    own: list[str] = []
    below: list[str] = []
    for item in items(argv):
        (below if item.is_below(key) else own).extend(item.words)
    return own, below


def files_first(argv: Sequence[str], naming: Collection[str] = ()) -> list[str]:
    """Return words that mean the same to a parser in which the last word wins.

    The files come first, in their order, and the keys lie over them. A class that stands before a
    file also stays there: the file may hold no more than options of that class. A part of the
    method stays behind what names the method, for without it the parser knows no parts.

    Args:
        argv: the words.
        naming: the files that name the method, as they are written in `argv`.
    """
    found = items(argv)
    last = max((place for place, item in enumerate(found) if item.is_file), default=-1)
    early: list[str] = []
    late: list[str] = []
    waiting: list[str] = []  # for the method
    named = False
    for place, item in enumerate(found):
        if item.is_file:
            early.append(f"{CONFIG}={item.value}")
        elif place < last and (not item.flag or _names_class(item)):
            part = item.is_below(_METHOD) and item.key != _METHOD
            (waiting if part and not named else early).extend(item.words)
        if not named and (item.value in naming if item.is_file else item.key == _METHOD):
            early, named = early + waiting, True
        if not item.is_file and (item.flag or place > last):
            late += item.words
    return early + late


def _names_class(item: Item) -> bool:
    adds, asks = item.flag.endswith("+"), item.key.endswith("help")
    return bool(_CLASS.fullmatch(item.value or "")) and not adds and not asks
