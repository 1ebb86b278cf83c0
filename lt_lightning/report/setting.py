"""What was trained: which runs are repetitions of one another, and what to call them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from lt_lightning.report.run import Run
from lt_lightning.runs import packaged
from lt_lightning.runs.watching import compared
from lt_lightning.runs.yaml_file import read_yaml

# What may differ between two repetitions: where and how fast they ran, and what they drew.
_DATA_KEYS = (
    "sampler", "samplers", "views", "augments", "epoch_length", "batch_size", "drop_last",
    "augment", "holdout", "added_images", "unlabelled", "normalize",
)  # fmt: skip
_SOURCE_KEYS = ("image_size", "size", "scale", "background", "grey_bits")  # how a picture is read
_TRAINER_KEYS = (
    "max_epochs", "max_steps", "gradient_clip_val", "gradient_clip_algorithm",
    "accumulate_grad_batches", "limit_train_batches", "overfit_batches", "callbacks",
)  # fmt: skip
_FREE_MODEL_KEYS = ("channels_last", "compile")
# A change of these leaves the method what it is; it only trains it by another recipe.
_RECIPE = (
    "model.lr_schedule", "model.optimizer", "model.stage1_ckpt", "model.stage1_epochs",
    "model.stage2_epochs",
    "model.stage2_lr_schedule", "model.stage2_optimizer", "data.batch_size",
    "data.drop_last", "data.holdout",
    "trainer.max_epochs", "trainer.max_steps", "trainer.gradient_clip_val",
    "trainer.accumulate_grad_batches", "pretrain.options",
)  # fmt: skip
# Of these it matters whether there is one, not where it lies.
_FOLDERS = ("data.added_images", "data.unlabelled.folder")
# Of these the name matters, not where it lies or which version it is.
_EARLIER = ("model.backbone_init", "model.stage1_ckpt")
_RUNS = (*_EARLIER, "model.teacher")
# A number, or as a sweep or a job of SLURM calls its runs. A name of the user's own may be that of
# a run: two that are taken for one would leave one of them out of the table.
_VERSION = re.compile(r"\d+|seed[-_]?\d+|slurm-\w+(-seed-\d+)?(-[0-9a-f]+)?")
_FRAGMENTS = ("data", "trainer", "logger")
_RECIPES = "recipe"
BASELINE = "ce"
_ADDED = ("model.mixing", "model.tuning")  # none where a file does not give them
_PLAIN = {"model": "ERM", "model.loss": "CrossEntropy", "data.sampler": "InstanceBalanced"}
_NONE = "null"
_SHOWN_KEYS = 2
_SHOWN_LENGTH = 44


@dataclass(frozen=True)
class Setting:
    """All that makes a run what it is, but for seeds, data and hardware.

    Attributes:
        base: its config files, or the method's class.
        values: its options, as sorted pairs of dotted key and text.
        changed: the options given on the command line, over the config files.
        recipes: the names of recipes of the package that lie over them.
        laid: the options that these give.
        altered: options that the package's file of its name has otherwise, though none of the
            others says so, as where a copy of it was changed.
    """

    base: str
    values: tuple[tuple[str, str], ...]
    changed: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    laid: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: the method, and the recipes over it."""
        return "-".join((self.base, *self.recipes))

    @property
    def recipe_changes(self) -> list[str]:
        """The changed options of the recipe; an option of a changed class goes without saying."""
        given = dict.fromkeys((*self.changed, *self.laid, *self.altered))
        found = [key for key in given if key.startswith(_RECIPE)]
        return [key for key in found if not any(key.startswith(f"{other}.") for other in found)]

    @property
    def recipe(self) -> set[tuple[str, str]]:
        """The options of the recipe with their values."""
        return {pair for pair in self.values if pair[0].startswith(_RECIPE)}

    @property
    def is_base(self) -> bool:
        """Whether it is the method that its config files name, whatever the recipe."""
        free: tuple[str, ...] = _RECIPE
        if self._pretrained or self._shares_pretraining:
            free = (*free, *_RUNS)
        if self._shares_pretraining:
            free = (*free, "pretrain.config")
        return all(key.startswith(free) for key in (*self.changed, *self.altered))

    @property
    def _pretrained(self) -> bool:
        return dict(self.values).get("pretrain.config", _NONE) != _NONE

    @property
    def _shares_pretraining(self) -> bool:
        """Whether the pre-training that its file asks for was that of another run, as in sweeps."""
        left_out = "pretrain.config" in self.changed and not self._pretrained
        return left_out and "pretrain.config" in _shipped(self.base)

    @property
    def is_published(self) -> bool:
        """Whether it is that method also under its recipes."""
        return self.is_base and all(key.startswith(_RECIPE) for key in self.laid)

    @property
    def is_baseline(self) -> bool:
        """Whether it is plain cross-entropy, also where files of the user's own lie over it."""
        values = dict(self.values)  # of a run without its config.yaml what was given, alone
        plain = all(values.get(key, usual) == usual for key, usual in _PLAIN.items())
        named = f"{self.base}-".startswith(f"{BASELINE}-")
        return named and plain and not any(values.get(key) for key in _ADDED)


def setting_of(run: Run) -> Setting:
    """Return the setting of a run."""
    command = [str(word) for word in run.content["command"]]
    given = dict(_options(command))
    changed = tuple(sorted(key for key in given if _matters(key)))
    if run.config:
        values = dict(_flat(compared(run.config)))
    else:
        values = {key: _text(key, given[key]) for key in changed}
        training = run.content["training"]
        planned = training.get("planned_epochs") or training["epochs"]
        values["trainer.max_epochs"] = str(planned)
    pairs = ((key, text) for key, text in values.items() if _matters(key))
    recipes = [file.stem for file in _files(command) if _is_recipe(file)]
    laid = sorted({key for stem in recipes for key in _shipped(f"{_RECIPES}/{stem}")})
    base = _base(run, command)
    altered = _altered(base, values, (*changed, *laid)) if run.config else ()
    return Setting(base, tuple(sorted(pairs)), changed, tuple(recipes), tuple(laid), altered)


def _altered(base: str, values: dict[str, str], told: Sequence[str]) -> tuple[str, ...]:
    """Return the options in which a run differs from the package's file of its name, but `told`."""
    wanted = _shipped(base)
    if not wanted:
        return ()
    # A list may hold classes, whose names are longer in the config of a run.
    plain = {key: text for key, text in wanted.items() if not text.startswith("[")}
    found = {key for key, text in plain.items() if not _alike(text, values.get(key))}
    found |= {key for key in _ADDED if key in values and key not in wanted}
    return tuple(sorted(key for key in found if not key.startswith(tuple(told))))


def _alike(one: str, other: str | None) -> bool:
    """Return whether two texts are the same, also as numbers; a class may have options below."""
    if one == other:
        return True
    try:
        return other is not None and float(one) == float(other)
    except ValueError:
        return False


def _is_recipe(file: PurePath) -> bool:
    """Return whether a file is a recipe of the package; one of the user's own may be anything."""
    return file.parent.name == _RECIPES and packaged.find(f"{_RECIPES}/{file.stem}") is not None


@cache
def _shipped(name: str) -> Mapping[str, str]:
    """Return the options that matter of a config of the package; none of one that it has not."""
    file = packaged.find(name)
    content = {} if file is None else read_yaml(file)
    return {key: text for key, text in _flat(content) if _matters(key)}


def labels(settings: Sequence[tuple[Setting, str]]) -> dict[Setting, str]:
    """Return a name for each setting, which no two of them share.

    The base alone where it says enough; else with the options that differ, if they are few; else
    with the name of the run.

    Args:
        settings: each with the name of one of its runs.
    """
    families: dict[str, dict[Setting, str]] = {}
    for setting, run_name in settings:
        families.setdefault(setting.name, {}).setdefault(setting, run_name)
    found: dict[Setting, str] = {}
    for base, members in families.items():
        found.update(_apart(base, members))
    return found


def _apart(base: str, members: dict[Setting, str]) -> dict[Setting, str]:
    if len(members) == 1:
        return dict.fromkeys(members, base)
    texts = {setting: _differences(setting, list(members)) for setting in members}
    short = all(len(text) <= _SHOWN_LENGTH for text in texts.values())
    if not short or len(set(texts.values())) < len(members):
        texts = dict(members)
    if len(set(texts.values())) < len(members):
        texts = {s: f"{name} #{k + 1}" for k, (s, name) in enumerate(members.items())}
    return {s: text if text.startswith(base) else _joined(base, text) for s, text in texts.items()}


def _joined(base: str, text: str) -> str:
    return f"{base} {text}" if text.startswith("after ") else f"{base}, {text}"


def _differences(setting: Setting, others: Sequence[Setting]) -> str:
    """Return the options in which the settings differ, with this one's values."""
    all_values = [dict(other.values) for other in others]
    keys = sorted({key for values in all_values for key in values})
    differing = [key for key in keys if len({values.get(key) for values in all_values}) > 1]
    # Where a class differs its own options differ as well, and say nothing more.
    top = [key for key in differing if not any(key.startswith(f"{other}.") for other in differing)]
    mine = dict(setting.values)
    if len(top) > _SHOWN_KEYS:
        return "x" * (_SHOWN_LENGTH + 1)
    return ", ".join(_told(key, mine.get(key)) for key in top)


def _told(key: str, value: str | None) -> str:
    """Return an option in words."""
    if key in _EARLIER and value is not None:
        return f"after {value}"
    return f"{key.rsplit('.', 1)[-1]} {value or 'none'}"


def _base(run: Run, command: Sequence[str]) -> str:
    files = [file for file in _files(command) if file.parent.name not in _FRAGMENTS]
    stems = [file.stem for file in files if not _is_recipe(file)]
    again = stems == ["config"]  # started again from a run folder
    if again or (not stems and "test" in command[:2]):  # or its results.json was lost
        return run.folder.resolve().parent.name
    return "-".join(stems) or str(run.content["method"]).rsplit(".", 1)[-1]


def _files(command: Sequence[str]) -> list[PurePath]:
    return [PurePath(value) for key, value in _options(command) if key in ("config", "c")]


def _options(command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command line as key and text."""
    for place, word in enumerate(command):
        key, equals, text = word.partition("=")
        if key.startswith("-") and not _is_number(key):
            after = command[place + 1] if place + 1 < len(command) else ""
            value = text if equals else "" if after.startswith("--") else after
            yield key.lstrip("-").replace(".init_args.", "."), value


def _is_number(word: str) -> bool:
    return word.lstrip("-")[:1].isdigit()


def _matters(key: str) -> bool:
    part, _, rest = key.partition(".")
    first = rest.split(".")[0].rstrip("+")
    if part == "data":
        return first in _DATA_KEYS or rest in {f"source.{key}" for key in _SOURCE_KEYS}
    if part == "trainer":
        return first in _TRAINER_KEYS
    return part == "pretrain" or (part == "model" and first not in _FREE_MODEL_KEYS)


def _flat(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves as dotted key and text; a class stands under its own key by its name."""
    for name, value in content.items():
        key = f"{above}{name}"
        if name == "class_path":
            yield above.rstrip("."), str(value).rsplit(".", 1)[-1]
        elif name in ("init_args", "dict_kwargs") and isinstance(value, dict):
            yield from _flat(value, above)
        elif isinstance(value, dict):
            yield from _flat(value, f"{key}.")
        elif value is not None:  # an option that a later version adds is none at first
            yield key, "given" if key in _FOLDERS else _text(key, str(value))


def _text(key: str, value: str) -> str:
    """Return a value as settings hold it."""
    if key == "pretrain.config":
        return PurePath(value).stem
    return _run_name(value) if key in _RUNS else value


def _run_name(value: str) -> str:
    """Return NAME of runs/NAME, runs/NAME/0 or, as in config.yaml, a checkpoint in its folder."""
    path = PurePath(value)
    folder = path.parents[1] if path.suffix == ".ckpt" and len(path.parts) > 2 else path
    version = _VERSION.fullmatch(folder.name) is not None
    return folder.parent.name or folder.name if version else folder.name
