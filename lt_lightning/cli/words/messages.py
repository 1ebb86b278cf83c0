"""From a message of jsonargparse to one sentence with the value and the remedy."""

import argparse
import inspect
import re
from dataclasses import dataclass, replace
from typing import Any

from lt_lightning.cli.words import outside
from lt_lightning.cli.words.catalog import SECTIONS, entries
from lt_lightning.cli.words.type_words import hint_of, values_of, wanted
from lt_lightning.errors import UserError, one_sentence
from lt_lightning.nearest import nearest, nearest_key
from lt_lightning.runs import class_path

# Characters for private use, which no message holds: they carry a sentence through the parsers
# above the one that found the mistake.
_OPEN, _BETWEEN, _CLOSE, _HERE = "\ue000", "\ue001", "\ue002", "\ue003"
_PACKED = re.compile(f"{_OPEN}(.*?){_BETWEEN}(.*?){_CLOSE}", re.DOTALL)
_OWN_KEY = re.compile(r'Parser key "([^"]+)"')
_UNKNOWN = (
    r"[Oo]ption '([\w.\-/]+)' is not accepted",
    r"does not accept option '([\w.\-/]+)'",
    r"unrecognized arguments: --([\w.\-/]+)",
    r"No action for key \"([\w.\-/]+)\"",
)
# The parser tells those who write programs with it how to allow an import.
_DENIED = re.compile(
    r"Importing '(\S+)' is not allowed, denied by .*? in\s+set_parsing_settings to allow it\.?",
    re.DOTALL,
)
_TWO = re.compile(r"Multiple subclasses with name (\w+)\. .*? ambiguity: ([\w., ]+)\.", re.DOTALL)
_VALUES = (
    r"dot import path string: (\S+)",
    r"class_path='([\w.]+)'",
    r"'class_path': '([\w.]+)'",
    r"class_path '([\w.]+)'",
    r"Unexpected import path format: \"([^\"]+)\"",
    r"Import path (\S+) does not correspond",
    r"Given value: (.*)$",
    r"Got value: (.*)$",
)
_NO_TEXT = re.compile(r"True|False|[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan)")
_SHOWN = 80  # characters of a value
_LEVELS = ("class_path", "init_args", "dict_kwargs")  # of a file; the command line has them not
_IDLE = ("print_shtab", "print_completion", "help")  # options that no one types wrongly
# What other codes call an option.
_OTHER_NAMES = {
    "arch": "model.backbone",
    "batch_size": "data.batch_size",
    "dataset": "data.source",
    "data_path": "data.root",
    "epochs": "trainer.max_epochs",
    "gpus": "trainer.devices",
    "imb_factor": "data.profile.imbalance_ratio",
    "imb_ratio": "data.profile.imbalance_ratio",
    "learning_rate": "model.optimizer.lr",
    "loss": "model.loss",
    "loss_type": "model.loss",
    "lr": "model.optimizer.lr",
    "momentum": "model.optimizer.momentum",
    "num_workers": "data.workers",
    "output": "runs",
    "resume": "ckpt_path",
    "sampler": "data.sampler",
    "seed": "seed_everything",
    "wd": "model.optimizer.weight_decay",
    "weight_decay": "model.optimizer.weight_decay",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong: the option, and a sentence in which _HERE stands before every key."""

    key: str
    text: str

    def below(self, key: str) -> "Finding":
        """Return the same for the parser of which this parser's options are below `key`."""
        return replace(
            self, key=f"{key}.{self.key}", text=self.text.replace(_HERE, f"{_HERE}{key}.")
        )

    def packed(self) -> str:
        """Return a message for the parser above."""
        return f"{_OPEN}{self.key}{_BETWEEN}{self.text}{_CLOSE}"

    def sentence(self) -> str:
        """Return the sentence for the user."""
        return self.text.replace(_HERE, "")


def finding(message: str, parser: argparse.ArgumentParser) -> Finding:
    """Return what a parser message is about.

    Args:
        message: the message of jsonargparse or argparse.
        parser: the parser that found it.
    """
    message = _DENIED.sub(r"\1 is of Python itself and is never built", message)
    own = _OWN_KEY.match(message)
    inner = _PACKED.search(message)
    if inner:
        found = Finding(inner[1], inner[2])
        return found.below(own[1]) if own else found
    for pattern in _UNKNOWN:
        unknown = re.search(pattern, message)
        if unknown:
            found = _no_option(unknown[1], parser)
            return found.below(own[1]) if own else found
    two = _TWO.search(message)
    if two:
        return _two_of_a_name(own[1] if own else "", two)
    for rule in (_left_over, _required, _without_value, _unknown_help, _one_dash, _no_group):
        other = rule(message)
        if other:
            return other
    if own:
        return _wrong_value(own[1], message, parser)
    return Finding("", f"{_cut(one_sentence(message), 400).rstrip('.')}: see lt fit --help.")


def known_keys(parser: argparse.ArgumentParser) -> list[str]:
    """Return the dotted keys of a parser and of its subcommands."""
    found = {
        option.lstrip("-")
        for action in _actions(parser)
        for option in action.option_strings
        if option.startswith("--")
    }
    return sorted(
        key for key in found if not key.endswith((".help", "+")) and not key.startswith(_IDLE)
    )


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = []
    for action in parser._actions:
        found.append(action)
        for sub in action.choices.values() if isinstance(action.choices, dict) else ():
            if isinstance(sub, argparse.ArgumentParser):
                found += _actions(sub)
    return found


def _no_option(key: str, parser: argparse.ArgumentParser) -> Finding:
    key = ".".join(part for part in key.split(".") if part not in _LEVELS) or key
    what = f"there is no option '{_HERE}{key}'"
    known = known_keys(parser)
    if key in known:  # it was written with a +, by which lists grow
        told = f"'{_HERE}{key}+' adds to a list, which {_HERE}{key} is not"
        return Finding(key, f"{told}: give --{_HERE}{key} its whole value.")
    usual = _OTHER_NAMES.get(key.rsplit(".", 1)[-1])
    # Only the parser of the command sees whole keys; one of a class knows its own part.
    if usual and "trainer.max_epochs" in known and usual != key:
        return Finding(key, f"{what}: did you mean '{usual}'?")
    near = nearest_key(key, known)
    if near:
        return Finding(key, f"{what}: did you mean '{_HERE}{near}'?")
    level = sorted({name.split(".")[0] for name in known})
    good = key.split(".")[0]
    if good in level and "." in key:
        level = sorted({k.split(".")[1] for k in known if k.startswith(f"{good}.")}) or level
    if level == ["defaults"]:  # of torch.optim.Optimizer, the base, by its name
        return Finding(key, f"--{_HERE}{key} needs the optimizer before it, such as SGD or Adam.")
    if not level:
        return Finding(key, f"{what}: the class has no options.")
    return Finding(key, f"{what}: there {'are' if level[1:] else 'is only'} {', '.join(level)}.")


def _two_of_a_name(key: str, found: re.Match[str]) -> Finding:
    paths = " and ".join(found[2].split(", "))
    what = f"{_HERE}{key} is {found[1]!r}, the name" if key else f"{found[1]} is the name"
    return Finding(key, f"{what} of {paths}: write the path of the one you mean.")


def _left_over(message: str) -> Finding | None:
    found = re.search(r"unrecognized arguments: (\S+)", message)
    if not found:
        return None
    hint = "options are written --key value."
    if found[1].endswith((".yaml", ".yml")):
        hint = f"did you mean '--config {found[1]}'?"
    return Finding("", f"{found[1]!r} is no option: {hint}")


def _required(message: str) -> Finding | None:
    found = re.search(r"arguments are required: ([\w., \-]+)", message)
    if not found:
        return None
    key = found[1].split(",")[0].removeprefix("fit.").removeprefix("test.").strip()
    if key == "model":
        names = ", ".join(entry.name for entry in entries() if entry.section == "methods")
        return Finding(
            key, f"no method is given: add --config configs/ce.yaml, or --model {names}."
        )
    return Finding(key, f"'{_HERE}{key}' is missing: give --{_HERE}{key} a value.")


def _without_value(message: str) -> Finding | None:
    found = re.search(r"argument (?:-\w[/ ,]+)?--([\w.\-]+)[^:]*: expected (.*)$", message)
    if not found:
        return None
    needs = "a value" if found[2].startswith("one ") else found[2]
    return Finding(found[1], f"--{_HERE}{found[1]} stands alone: it needs {needs}.")


def _unknown_help(message: str) -> Finding | None:
    found = re.match(r"--([\w.]+)\.help: .*: (\S+)$", message, re.DOTALL)
    if not found:
        return None
    trouble = outside.trouble(found[2])
    if trouble:
        return Finding(found[1], f"there is no class {found[2]!r} for --{found[1]}.help: {trouble}")
    near = nearest(found[2], _sections())
    hint = f"did you mean {near!r}?" if near and near != found[2] else "see `lt methods`."
    return Finding(found[1], f"there is no class {found[2]!r} for --{found[1]}.help: {hint}")


def _one_dash(message: str) -> Finding | None:
    found = re.search(r"argument (-\w)/(--\w+): ignored explicit argument '([^']*)'", message)
    if not found:
        return None
    return Finding("", f"'{found[1]}{found[3]}' is no option: did you mean '{found[2]}'?")


def _no_group(message: str) -> Finding | None:
    found = re.match(r"Parser key \"([\w.]+)\":\s+Unable to load config '([^']*)'", message)
    if not found:
        return None
    return Finding(
        found[1],
        f"{_HERE}{found[1]} is {_cut(found[2], _SHOWN)!r}: it holds options, so give them "
        f"one by one, as --{_HERE}{found[1]}.<option> VALUE.",
    )


def _wrong_value(key: str, message: str, parser: argparse.ArgumentParser) -> Finding:
    types = [action for action in _actions(parser) if action.dest == key]
    hint = hint_of(types[0]) if types else None
    want = wanted(hint)
    # The method is the one class that cannot be left out.
    choice = " or ".join(p for p in want.phrases if (key, p) != ("model", "null"))
    inner = re.search(r"Given value: NestedArg\(key='([\w.]+)', val=(.*)\)", message)
    if inner and "dot import path" not in message:
        one = " or ".join(values_of(hint).phrases)
        if one and not want.names:  # a mapping of plain values
            return Finding(
                f"{key}.{inner[1]}",
                f"{_HERE}{key}.{inner[1]} is {_cut(inner[2], _SHOWN)}: give {one}.",
            )
        text = f"--{_HERE}{key}.{inner[1]} needs a class: give --{_HERE}{key} before it, {choice}."
        return Finding(f"{key}.{inner[1]}", text)
    values = [found for p in _VALUES if (found := re.search(p, message, re.MULTILINE))]
    if not values or not choice:
        text = one_sentence(message.removeprefix(f'Parser key "{key}":'))
        return Finding(key, f"{_HERE}{key}: {_cut(text, 300).rstrip('.')}: give another value.")
    value = _cut(values[0][1], _SHOWN).strip(".")
    what = f"{_HERE}{key} is {value!r}"
    if "." in value and want.names and value.replace(".", "").isidentifier():
        try:
            what += _why_not(class_path.named(value), want.bases)
        except UserError as error:
            return Finding(key, f"{_HERE}{key}: {str(error).rstrip('.')}, or give {choice}.")
    trouble = outside.trouble(value)
    if trouble:
        return Finding(key, f"{what}: {trouble}")
    names = [*want.names, *(outside.names_below(want.bases) if want.bases else ())]
    near = None if "." in value else nearest(value, names)
    if near and near != value:
        return Finding(key, f"{what}: did you mean {near!r}?")
    if "a text" in want.phrases and _NO_TEXT.fullmatch(value):
        choice += " (in quotes where YAML takes it for a number or a truth value)"
    return Finding(key, f"{what}: give {choice}{_elsewhere(value)}.")


def _why_not(kind: Any, bases: tuple[type[Any], ...]) -> str:
    """Return why something that was named cannot stand where a subclass of `bases` is wanted."""
    if not inspect.isclass(kind):
        return ", which is no class"
    if not bases or issubclass(kind, bases):
        missing = class_path.unwritten(kind)
        return "" if missing is None else f", which has no {missing}"
    return f", which is not a subclass of {' or '.join(base.__name__ for base in bases)}"


def _elsewhere(value: str) -> str:
    """Return where a class belongs that was given in a wrong place."""
    known = _sections()
    near = nearest(value, known, 0.7)
    return f"; {near} is listed under {SECTIONS[known[near]]}" if near else ""


def _sections() -> dict[str, str]:
    """Return the section of `lt methods` of each name."""
    return {**outside.sections(), **{entry.name: entry.section for entry in entries()}}


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 4]} ..."
