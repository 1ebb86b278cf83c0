"""The classes of libraries that a command line names, and what is said where one of them fails.

What such a class refuses, or cannot do here, is no bug of ours, whatever exception it raises. It is
blamed where it is at work itself: as soon as code of ours, or the loop of the training, was called
by it, the error is of that.
"""

import inspect
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from jsonargparse import Namespace
from lightning.fabric.plugins import CheckpointIO, ClusterEnvironment
from lightning.fabric.plugins.precision import Precision
from lightning.pytorch import Trainer
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins import LayerSync
from lightning.pytorch.profilers import Profiler
from lightning.pytorch.strategies import Strategy

from lt_lightning.cli.words import culprit
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs.class_path import is_outside, named, package, told
from lt_lightning.runs.hints import parameters

OURS = "lt_lightning"
# What the trainer is made of; an optimizer is built when the training begins, and blamed then.
PARTS: tuple[type[Any], ...] = (
    *(Callback, Logger, Strategy, Accelerator, Profiler),
    *(CheckpointIO, ClusterEnvironment, Precision, LayerSync),
)
# Parts of the trainer that have short names, and the name that is nobody's choice.
_SHORT = {"profiler": Profiler, "strategy": Strategy, "accelerator": Accelerator}
_NO_CHOICE = (None, "auto")
# What runs here was called by the class that it is asked of: a step, a hook of the module.
_LOOPS = tuple(f"lightning.pytorch.{part}" for part in ("loops.", "core.", "trainer.call"))
_LEVELS = ("init_args", "dict_kwargs")
_PLAIN = (bool, int, float, str, list, tuple, dict)
_MOST = 6  # options that a sentence shows


@dataclass(frozen=True)
class Named:
    """A class that was named.

    Attributes:
        key: the option; empty where it is not known.
        kind: the class.
        word: how it is written.
        given: its options.
    """

    key: str
    kind: type[Any]
    word: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, what: str, error: BaseException, remedy: str) -> str:
        """Return what is told of it."""
        known = parameters(self.kind)
        changed = [
            f"{name}={told(value)}"
            for name, value in self.given.items()
            if isinstance(value, _PLAIN) and (name not in known or known[name][1] != value)
        ][:_MOST]
        who = f"{self.key} is {self.word}" if self.key else self.word
        options = f" ({', '.join(changed)})" if changed else ""
        return f"{who}{options}, which {what} ({culprit.said(error)}): {remedy}."


class NotBuilt(Refused):
    """A class that does not take its options; every parser above adds its part of the key."""

    def __init__(self, kind: type[Any], given: Mapping[str, Any], error: Exception) -> None:
        word = f"{kind.__module__}.{kind.__qualname__}"
        self.named, self.error = Named("", kind, word, given), error
        super().__init__("")
        self.sentence = self._sentence()

    def find(self, options: Any) -> None:
        """Take the key from the options that its parser has."""
        one = next((one for one in classes(options) if one.kind is self.named.kind), None)
        if one is not None:
            self.key = one.key
            self.named = Named(one.key, one.kind, one.word, self.named.given)
            self.sentence = self._sentence()

    def _sentence(self) -> str:
        theirs = culprit.sentence([self.error]) if is_outside(self.named.kind) else None
        if theirs is not None:
            return f"{self.key}: {theirs}" if self.key else theirs
        missing = isinstance(self.error, ImportError)
        other = "install what it needs" if missing else "change its options"
        return self.named.sentence("cannot be built", self.error, f"{other}, or leave it out")


def build(kind: type[Any], *args: Any, **given: Any) -> Any:
    """Build a part of the trainer, in the place of the parser.

    The parser takes an exception for a sign that the value is meant for another of the types that
    may stand there, and says in the end that it is of none of them.

    Raises:
        NotBuilt: if its constructor fails, and the class is none of ours.
    """
    try:
        return kind(*args, **given)
    except UserError:
        raise
    except Exception as error:
        if package(kind.__module__) == OURS:
            raise
        if os.environ.get("LT_DEBUG") == "1":
            sys.excepthook(type(error), error, error.__traceback__)
        raise NotBuilt(kind, given, error) from error


INSTANTIATORS = [(build, part, True) for part in PARTS]


def classes(options: Any, key: str = "") -> Iterator[Named]:
    """Yield the classes that parsed options name."""
    if isinstance(options, list | tuple):
        for item in options:
            yield from classes(item, key)
    if not isinstance(options, Namespace | Mapping):
        return
    content = _plain(options)
    path = content.get("class_path")
    if isinstance(path, str):
        try:
            kind = named(path)
        except UserError:
            kind = None
        if inspect.isclass(kind):
            given = {k: v for level in _LEVELS[::-1] for k, v in _plain(content.get(level)).items()}
            yield Named(key, kind, path, given)
    for name, item in content.items():
        yield from classes(item, key if name in _LEVELS else f"{key}.{name}".lstrip("."))


def sentence(error: BaseException) -> str | None:
    """Return the sentence for an error of a class that the command at work names, or none."""
    frames = [frame for frame, _ in culprit.frames(error.__traceback__)]
    options = _options(frames)
    if options is None or not isinstance(error, Exception):
        return None
    owners = [(owner, frame) for frame in _at_work(frames) if (owner := _owner(frame)) is not None]
    paths = [one for one in classes(options) if package(one.kind.__module__) != OURS]
    for known in (paths, [*_by_short_names(options)]):  # a path says more of what was meant
        for owner, _ in owners:
            one = next((one for one in known if issubclass(owner, one.kind)), None)
            if one is not None:
                remedy = f"change its options, or leave it out, {culprit.TRACE}"
                return one.sentence("failed", error, remedy)
    if any(issubclass(kind, Trainer) and f.f_code.co_name == "__init__" for kind, f in owners):
        what = f"the trainer cannot be built from its options ({culprit.said(error)})"
        return f"{what}: change those under trainer, {culprit.TRACE}."
    return None


def _options(frames: Sequence[FrameType]) -> Any:
    """Return the options of the innermost command at work, or none."""
    for frame in reversed(frames):
        owner = frame.f_locals.get("self")
        if isinstance(owner, LightningCLI):
            config = vars(owner).get("config")  # none before it is parsed
            return None if config is None else config.get(config.get("subcommand") or "", config)
    return None


def _by_short_names(options: Any) -> Iterator[Named]:
    trainer = _plain(options.get("trainer"))
    for name, kind in _SHORT.items():
        word = trainer.get(name)
        if isinstance(word, str) and word not in _NO_CHOICE:
            yield Named(f"trainer.{name}", kind, word)


def _at_work(frames: Sequence[FrameType]) -> Iterator[FrameType]:
    """Yield the frames in which the error is that of a library, the innermost first.

    A function that is written within another is at work for that, through whatever hands called it:
    torch moves a module by such a one, and our modules hand it on.
    """
    place = len(frames) - 1
    while place >= 0:
        frame = frames[place]
        outer = (k for k in range(place - 1, -1, -1) if _is_within(frame, frames[k]))
        above = next(outer, None)
        if above is None:
            module = str(frame.f_globals.get("__name__", ""))
            owner = _owner(frame)
            foreign = owner is not None and is_outside(owner) and owner.__module__ == module
            if package(module) == OURS or module.startswith(_LOOPS) or foreign:
                return
            yield frame
        place = place - 1 if above is None else above


def _is_within(frame: FrameType, outer: FrameType) -> bool:
    return any(part is frame.f_code for part in outer.f_code.co_consts)


def _owner(frame: FrameType) -> type[Any] | None:
    """Return the class whose method a frame runs, or none."""
    code = frame.f_code
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    kind: type[Any] = first if inspect.isclass(first) else type(first)
    return kind if any(code.co_name in vars(base) for base in kind.__mro__) else None


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, Namespace):
        return vars(value)
    return dict(value) if isinstance(value, Mapping) else {}
