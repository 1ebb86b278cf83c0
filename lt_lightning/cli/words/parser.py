"""Parsing with short errors and short help."""

import inspect
import re
from argparse import Action
from typing import Any, NoReturn, Union, get_args

import yaml
from jsonargparse import DefaultHelpFormatter, get_loader, set_dumper, set_loader
from lightning.pytorch.cli import LightningArgumentParser

from lt_lightning.cli.words import named, outside
from lt_lightning.cli.words.messages import finding
from lt_lightning.cli.words.nulls import settle_nulls
from lt_lightning.cli.words.type_words import hint_of
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import argv, class_path, gate
from lt_lightning.runs.yaml_file import check_text, times_in_quotes, yaml_text

_MODE = "lt"  # of jsonargparse: its own loader, after a look at the text, and a dumper for it
_CLASS = re.compile(r"(\w+\.)+[A-Z]\w*")  # with its module
_SHOWN = 40  # the classes that the help of one option names


class HelpFormatter(DefaultHelpFormatter):
    """Names the classes of this package only; torch has hundreds of modules."""

    def add_usage(self, usage: str | None, actions: Any, *args: Any, **kwargs: Any) -> None:
        """Show the form of a command line, not its hundred options."""
        super().add_usage(
            "%(prog)s [--config FILE ...] [--key value ...]", actions, *args, **kwargs
        )

    def _get_help_string(self, action: Action) -> str:
        text = super()._get_help_string(action)
        return re.sub(r", known subclasses: ([^()]*)\)", _shorter, text)


def _shorter(found: re.Match[str]) -> str:
    paths = found[1].split(", ")
    own = [path.rsplit(".", 1)[-1] for path in paths if path.startswith("lt_lightning.")]
    names = own or paths
    return f", classes: {', '.join(names)})" if len(names) <= _SHOWN else ")"


class LTParser(LightningArgumentParser):
    """Says what was wrong in one line, and what may have been meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An abbreviated key (--trainer.max_epoch) would be taken for its longer namesake.
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", HelpFormatter)
        kwargs.setdefault("parser_mode", _MODE)
        self.linked: list[str] = []
        super().__init__(*args, **kwargs)

    def link_arguments(self, source: Any, target: str, *args: Any, **kwargs: Any) -> None:
        """Link two options, and remember the one that gets its value later."""
        self.linked.append(target)
        super().link_arguments(source, target, *args, **kwargs)

    def parse_args(self, args: Any = None, *more: Any, **named: Any) -> Any:
        """Parse a command line; of a class that cannot be imported it says why.

        Raises:
            Refused: if the command line is not understood.
        """
        try:
            return super().parse_args(args, *more, **named)
        except (Exception, SystemExit) as error:
            if not (isinstance(error, Refused) and "cannot be imported" in error.sentence):
                _blame_module(args, error)
            raise

    def counts_before_shares(self) -> None:
        """Take a whole number for a count where a share may stand too: 1 batch is not all of them.

        Lightning says so by the order of int and float, but for `Optional` of both in either order
        typing returns what an import before this one made of it.
        """
        for action in self._actions:
            parts = get_args(hint_of(action))
            if int in parts and float in parts[: parts.index(int)]:
                ordered = (int, *(part for part in parts if part is not int))
                action._typehint = Union[ordered]  # type: ignore[attr-defined]  # noqa: UP007

    def check_values(self, namespace: Any) -> None:
        """Refuse values that must not become objects; see `runs.gate`.

        Raises:
            Refused: if there is one.
        """
        settle_nulls(namespace)
        later = {target.replace(".init_args.", ".") for target in self.linked}
        for action in self._actions:
            hint = hint_of(action)
            if hint is None or action.dest not in namespace:
                continue
            value = namespace[action.dest]
            if _is_own_function(value, action.default):
                continue
            if value is not None or action.default is not None:
                gate.check(action.dest, value, hint, later)

    def instantiate(self, namespace: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the classes of a config, after its values passed the gate.

        Raises:
            Refused: if one does not take its options.
        """
        self.check_values(namespace)
        kwargs.setdefault("instantiators", named.INSTANTIATORS)
        try:
            return super().instantiate(namespace, *args, **kwargs)
        except named.NotBuilt as refused:
            if "subcommand" not in namespace:  # it is no part of a key
                refused.find(namespace)
            raise

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Leave with one sentence and status 2.

        jsonargparse asks a parser of its own for the options of every class. Such a parser knows
        which options there are, so it words the sentence, and the parsers above it pass it on.
        """
        found = finding(str(message), self)
        if not self.exit_on_error:
            super().error(found.packed(), ex)
        raise Refused(found.sentence(), found.key)


def _blame_module(args: Any, error: BaseException) -> None:
    """Say which class of a command line, or of its files, cannot be imported, if there is one.

    The parser imports what stands in the place of a class. It takes many an error of that for a
    sign that the value is something else, and knows nothing of others. A module that is not there
    may be no module: it is told where the parser stopped at that value.

    Raises:
        Refused: if there is one.
    """
    for text in outside.texts(args if isinstance(args, list) else []):
        told = class_path.trouble(text) if _CLASS.fullmatch(text) else None
        if told is None:
            continue
        missing = isinstance(told.__cause__, ModuleNotFoundError)
        stopped_there = isinstance(error, Refused) and text in error.sentence
        if stopped_there or not missing:
            key = next((i.key for i in argv.items(args) if i.value == text), None)
            key = key or (error.key if isinstance(error, Refused) else None)
            raise Refused(f"{key}: {told}" if key else str(told), key) from error


def _is_own_function(value: Any, default: Any) -> bool:
    """Return whether a value is the function that the signature of a class has for its default.

    The parser of the options of a class knows it by its path. It is asked after the parser above,
    where the gate has seen the value with its class.
    """
    if not inspect.isroutine(value) or not isinstance(default, str):
        return False
    try:
        return gate.is_own_function(value, class_path.named(default))
    except UserError:
        return False


def _load(text: str) -> Any:
    check_text(text)
    return get_loader("yaml")(times_in_quotes(text))


set_loader(_MODE, _load, (yaml.YAMLError, ValueError))
set_dumper(_MODE, yaml_text)
