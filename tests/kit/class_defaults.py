"""What the classes of the package's configs take where nothing is given, asked of themselves.

`python tests/kit/class_defaults.py` writes the table that `lt report` reads.
"""

import itertools
import warnings
from pathlib import Path

import lightning
import torch
import yaml

import lt_lightning.augment
import lt_lightning.backbones
import lt_lightning.data
import lt_lightning.heads
import lt_lightning.losses
import lt_lightning.methods
import lt_lightning.recipes
import lt_lightning.samplers
import lt_lightning.schedule
import lt_lightning.tuning
from lt_lightning.cli.checks import LINKED
from lt_lightning.cli.words.parser import LTParser
from lt_lightning.report.shipped import DATA, DEFAULTS, TRAINER
from lt_lightning.runs.packaged import configs
from lt_lightning.runs.yaml_file import read_yaml

_MODULES = (
    *(lt_lightning.augment, lt_lightning.backbones, lt_lightning.data, lt_lightning.heads),
    *(lt_lightning.losses, lt_lightning.methods, lt_lightning.recipes, lt_lightning.samplers),
    *(lt_lightning.schedule, lt_lightning.tuning, torch.optim),
)
_HEAD = "# Written by tests/kit/class_defaults.py: what is meant where a config gives nothing.\n"


def _names(content):
    """Yield the names of all classes in a content."""
    if isinstance(content, list):
        for value in content:
            yield from _names(value)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key == "class_path":
                yield value.rsplit(".", 1)[-1]
            else:
                yield from _names(value)


def _short(content):
    """Return a content without what is none, classes by their names alone."""
    if isinstance(content, list):
        return [_short(value) for value in content]
    if not isinstance(content, dict):
        return content
    found = {key: _short(value) for key, value in content.items() if value is not None}
    if "class_path" in found:
        found["class_path"] = found["class_path"].rsplit(".", 1)[-1]
    return found


def _defaults(kind):
    parser = LTParser()
    parser.add_class_arguments(kind, "x", fail_untyped=False, skip={*LINKED})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its newer name, which jsonargparse 4.52 has not yet
        text = parser.dump(parser.get_defaults(), skip_none=False, skip_validation=True)
    return _short(yaml.safe_load(text).get("x") or {})


def table():
    """Return the table, with the classes of all configs and of the defaults themselves."""
    parts = [name for name, one in vars(lt_lightning.data).items() if _is_part(one)]
    found = {TRAINER: lightning.Trainer, DATA: lt_lightning.data.LongTailDataModule}
    found = {name: _defaults(kind) for name, kind in found.items()}
    waiting = [*parts, *itertools.chain(*(_names(read_yaml(f)) for f in configs().values()))]
    while waiting:
        name = waiting.pop()
        if name not in found:
            kinds = {vars(module)[name] for module in _MODULES if name in vars(module)}
            if kinds:
                (kind,) = kinds
                found[name] = _defaults(kind)
        waiting += [one for one in _names(found.get(name)) if one not in found]
    return dict(sorted(found.items()))


def _is_part(one):
    """Return whether it is a class of sources or profiles, which are asked for without a config."""
    bases = (lt_lightning.data.Source, lt_lightning.data.Profile)
    return isinstance(one, type) and issubclass(one, bases) and one not in bases


if __name__ == "__main__":
    text = yaml.safe_dump(table(), sort_keys=True, default_flow_style=None, width=100)
    Path(DEFAULTS).write_text(_HEAD + text, encoding="utf-8")
