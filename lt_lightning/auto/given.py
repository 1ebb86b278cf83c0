"""What the user lays over every step, on the command line and in config files alike."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused
from lt_lightning.nearest import nearest
from lt_lightning.runs import argv as argv_words
from lt_lightning.runs import config_files, packaged

USAGE = "lt auto --data.root DIR --minutes 30"
OWN = ("minutes", "name", "runs", "help", "h")
MOST = "trainer.max_epochs"
_GIVEN = ("data", "model.backbone", "seed_everything", "trainer")
_GROUPS = ("data", "trainer")  # a whole group could hold any of its options
_NOT_GIVEN = {
    "trainer.devices": "it runs in one process",
    "trainer.num_nodes": "it runs in one process",
    "trainer.strategy": "it runs in one process",
    "trainer.max_steps": "--minutes says how long it is",
    "trainer.max_time": "--minutes says how long it is",
    "trainer.min_epochs": "--minutes says how long it is",
    "trainer.min_steps": "--minutes says how long it is",
    "trainer.fast_dev_run": "its runs must be kept",
    "data.test_root": "the test split is looked at once: test what it chose, by lt test",
    "data.monitor_test": "the test split is looked at once",
}
# What a file may say of them, for it is so in any case: configs/trainer/gpu.yaml has devices 1.
_SO_ANYWAY: dict[str, tuple[Any, ...]] = {
    "trainer.devices": (1, "1"),
    "trainer.num_nodes": (1,),
    "trainer.strategy": ("auto",),
    "trainer.max_steps": (-1,),
    "trainer.fast_dev_run": (False,),
    "data.monitor_test": (False,),
}
_SHOWN = 40  # characters of a value


@dataclass(frozen=True)
class Given:
    """Options and config files that lie over those of every step.

    Attributes:
        words: as they were written.
        files: the content of each config file, a later one over those before it.
    """

    words: list[str]
    files: config_files.Files

    @classmethod
    def read(cls, argv: Sequence[str]) -> "Given":
        """Return what a command line gives to every step.

        Raises:
            Refused: if an option, there or in a file, is for no step, or for the course alone; if
                a file cannot be read.
        """
        found: list[str] = []
        for item in argv_words.items(argv):
            if not item.flag or item.key in OWN:
                continue
            if item.flag != argv_words.CONFIG:
                _check_option(item)
            found += [f"{item.flag}={item.value}"] if item.value is not None else item.words
        files = config_files.check(packaged.in_full(found))
        for path, content in files.items():
            for key, value in config_files.leaves(content):
                _check_of_file(path, key, value)
        return cls(found, files)

    def says(self, key: str) -> bool:
        """Return whether a value is given to the option `key`, or to an option of it."""
        in_files = any(_is_below(name, key) for name in self._in_files())
        return in_files or argv_words.first_below(self.words, key) is not None

    def names(self, key: str) -> bool:
        """Return whether the class of `key` is given, and not only options of it."""
        return key in self._in_files() or self.value(key) is not None

    def value(self, key: str) -> str | None:
        """Return the value of an option of the command line, the last one that is given."""
        found = [item.value for item in argv_words.items(self.words) if item.key == key]
        return found[-1] if found else None

    def _in_files(self) -> Iterator[str]:
        """Yield the options that have a value in a file."""
        for content in self.files.values():
            yield from (key for key, value in config_files.leaves(content) if value is not None)

    def digests(self) -> dict[str, str]:
        """Return what stands for the content of each config file, by its path as it was given."""
        return {str(path): _digest(content) for path, content in self.files.items()}


def _check_option(item: argv_words.Item) -> None:
    if item.key in _GROUPS:
        raise Refused(
            f"lt auto does not take {item.flag} as a whole: give its options one by one, such as "
            f"{item.flag}.{'root DIR' if item.key == 'data' else 'precision 32-true'}."
        )
    if not any(item.is_below(key) for key in _GIVEN):
        near = nearest(item.key, [*OWN, "config", *_GIVEN])
        hint = f"did you mean --{near}?" if near else f"{USAGE} --help lists them."
        raise Refused(f"lt auto has no option {item.flag}: {hint}")
    why = next((why for key, why in _NOT_GIVEN.items() if item.is_below(key)), None)
    if why is not None:
        raise Refused(f"{item.flag} cannot be given to lt auto, for {why}: leave it out.")


def _check_of_file(path: Path, key: str, value: Any) -> None:
    told = f"{key} {str(value)[:_SHOWN]}"
    if key in _GROUPS or not any(_is_below(key, known) for known in _GIVEN):
        raise Refused(
            f"{path} has {told}, and each step of lt auto is what it is by options of its own: "
            "take it out of the file, or train with the file by lt fit.",
            "config",
        )
    forbidden = next((known for known in _NOT_GIVEN if _is_below(key, known)), None)
    if forbidden is None or value is None or value in _SO_ANYWAY.get(forbidden, ()):
        return
    raise Refused(
        f"{path} has {told}, which cannot be given to lt auto, for {_NOT_GIVEN[forbidden]}: take "
        "it out of the file.",
        "config",
    )


def _is_below(name: str, key: str) -> bool:
    return f"{name}.".startswith(f"{key}.")


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
