"""What was trained: which runs are repetitions of one another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from lt_lightning.report import earlier, options, shipped
from lt_lightning.report.options import (
    PRETRAINING,
    RECIPE,
    RUNS,
    differing,
    is_below,
    matters,
    text_of,
)
from lt_lightning.report.run import Run
from lt_lightning.runs import argv, origin

BASELINE = "ce"
# None of these is in plain cross-entropy.
_ADDED = (
    "model.mixing", "model.tuning", "model.deferred_weights", "model.deferred_loss",
    "model.backbone_init", "pretrain.config",
)  # fmt: skip
_PLAIN = {
    "model": "ERM", "model.loss": "CrossEntropy", "model.loss.weights": "",
    "data.sampler": "InstanceBalanced",
}  # fmt: skip
_NONE = "null"
_LENGTH = "trainer.max_epochs"
_SIZE = "model.backbone"
_OF_RUN = re.compile(r"config(-resumed-\d+)?\.yaml")  # see callbacks.SaveConfig


@dataclass(frozen=True)
class Setting:
    """All that makes a run what it is, but for seeds, data and hardware; not how it was told.

    Attributes:
        base: its config files, or the method's class.
        values: its options, as sorted pairs of dotted key and text.
        changed: the options given on the command line, over the config files.
        recipes: the names of recipes of the package that lie over them.
        laid: the options that these give.
        altered: options that the package's files of its name have otherwise, though the command
            line does not say so: by a copy that was changed, or a file of the user's own.
        unexplained: those of them that no other file of the package explains, and that make it
            another method.
        by_file: whether a config file names it; else its options alone make it what it is.
    """

    base: str
    values: tuple[tuple[str, str], ...]
    changed: tuple[str, ...] = field(default=(), compare=False)
    recipes: tuple[str, ...] = ()
    laid: tuple[str, ...] = field(default=(), compare=False)
    altered: tuple[str, ...] = field(default=(), compare=False)
    unexplained: tuple[str, ...] = field(default=(), compare=False)
    by_file: bool = field(default=True, compare=False)

    @property
    def name(self) -> str:
        """What it is called: the method, and the recipes over it."""
        return "-".join((self.base, *self.recipes))

    @property
    def recipe_changes(self) -> list[str]:
        """The changed options of the recipe; an option of a changed class goes without saying."""
        given = dict.fromkeys((*self.changed, *self.laid, *self.altered))
        found = [key for key in given if is_below(key, RECIPE)]
        return [key for key in found if not any(key.startswith(f"{other}.") for other in found)]

    @property
    def recipe(self) -> set[tuple[str, str]]:
        """The options of the recipe with their values."""
        return {pair for pair in self.values if is_below(pair[0], RECIPE)}

    @property
    def is_base(self) -> bool:
        """Whether it is the method that its config files name, whatever the recipe."""
        changed = self.changed
        if self._pretrained or self._shares_pretraining:
            changed = tuple(key for key in changed if not is_below(key, RUNS))
        if self._shares_pretraining:
            changed = tuple(key for key in changed if key != PRETRAINING)
        return all(is_below(key, RECIPE) for key in (*changed, *self.altered))

    @property
    def made_other(self) -> tuple[str, ...]:
        """The options on its command line that make it another method.

        The size of the network does not, which has columns of its own.
        """
        kept = (*RECIPE, _SIZE)
        if self.is_base or not self.by_file:
            return ()
        return tuple(k for k in self.changed if not is_below(k, kept))

    @property
    def _pretrained(self) -> bool:
        return dict(self.values).get(PRETRAINING, _NONE) != _NONE

    @property
    def _shares_pretraining(self) -> bool:
        """Whether the pre-training that its file asks for was that of another run, as in sweeps."""
        left_out = PRETRAINING in self.changed and not self._pretrained
        return left_out and PRETRAINING in shipped.raw(self.base)

    @property
    def is_published(self) -> bool:
        """Whether it is that method also under its recipes."""
        return self.is_base and all(is_below(key, RECIPE) for key in self.laid)

    @property
    def is_baseline(self) -> bool:
        """Whether it is plain cross-entropy, also where files of the user's own lie over it."""
        values = dict(self.values)
        plain = all(values.get(key, usual) == usual for key, usual in _PLAIN.items())
        named = f"{self.base}-".startswith(f"{BASELINE}-")
        return named and plain and not any(values.get(key, _NONE) != _NONE for key in _ADDED)


def settings_of(runs: Sequence[Run]) -> list[Setting]:
    """Return the settings of runs; of an earlier run that is gone its siblings tell."""
    found = [setting_of(run) for run in runs]
    families: dict[Setting, list[int]] = {}
    for place, one in enumerate(found):
        own = tuple(pair for pair in one.values if not earlier.is_of_earlier(pair[0]))
        families.setdefault(replace(one, values=own), []).append(place)
    for places in families.values():
        told = earlier.filled([dict(found[place].values) for place in places])
        for place, values in zip(places, told, strict=True):
            found[place] = replace(found[place], values=tuple(sorted(values.items())))
    return found


def setting_of(run: Run) -> Setting:
    """Return the setting of a run, as it was when it ended."""
    command = _command(run)
    every = dict(options.given(command))
    whole = () if run.config else ("trainer", "data")  # as JSON; what is in it is not known
    given = {key: text for key, text in every.items() if matters(key) or key in whole}
    files = shipped.files_of(command)
    base = _base(run, command, files)
    known = [name for file in files if (name := shipped.name_of(file)) and "/" in name]
    given_recipes = [name for name in known if name.startswith(f"{shipped.RECIPES}/")]
    recipes = list(dict.fromkeys(reversed(given_recipes)))[::-1]  # of one given twice the last
    source = shipped.source_of(run.config)
    if not run.config:
        source = every.get("data.source") or shipped.source_of(shipped.laid((base, *known)))
    values = _values(run, shipped.made((base, *known), source), given)
    altered: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    changed = tuple(sorted(given))
    if shipped.raw(base):
        before = (*earlier.altered(run, values, given, base), *earlier.other_stage(values))
        found = _otherwise(values, (base, *recipes), source)
        altered = (*_untold(found, changed), *before)
        other = (*_untold(_otherwise(values, (base, *known), source), changed), *before)
        if not run.config or {*shipped.PARTS} <= {*run.config}:  # else it is no whole config
            unexplained = tuple(key for key in other if not is_below(key, RECIPE))
        if run.config:
            changed = _made_other(changed, (*found, *filter(earlier.is_of_earlier, values)))
    over = [file for file in files if shipped.is_fragment(file)] + _own_over(files)
    strange = [file.stem for file in files if file in over and shipped.name_of(file) is None]
    if strange and (unexplained or not run.config):
        base, unexplained = "-".join((base, *strange)), ()
    laid = {key for name in recipes for key in shipped.raw(name)}
    return Setting(
        base=base,
        values=tuple(sorted(values.items())),
        changed=changed,
        recipes=tuple(name.partition("/")[2] for name in recipes),
        laid=tuple(sorted(laid)),
        altered=altered,
        unexplained=unexplained,
        by_file=bool(_plain(files)),
    )


def _command(run: Run) -> list[str]:
    """Return the words by which a run was trained; of one that began with a config, also its own.

    A results.json that was lost may be written again by a test.
    """
    command = [str(word) for word in run.content["command"]]
    if "test" in command[1:2]:
        command = origin.command_of(run.folder) or command
    seen: set[PurePath] = set()
    while True:
        plain = _plain(shipped.files_of(command))
        if len(plain) != 1 or not _OF_RUN.fullmatch(plain[0].name) or plain[0] in seen:
            return command
        seen.add(plain[0])  # a folder whose command names itself would never end
        places = earlier.places(run, plain[0].parent)
        before = next(filter(None, map(origin.command_of, places)), None)
        if before is None:
            return command
        more = argv.items(command[2:])
        own = [item for item in more if not (item.is_file and PurePath(str(item.value)) in plain)]
        command = [*before, *(word for item in own for word in item.words)]


def _values(run: Run, made: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return all options of a run; without its config those that its files `made`."""
    if run.config:
        values = options.flat(shipped.filled(run.config))
    else:
        told = {key: text_of(key, text) for key, text in given.items()}
        values = {**made, **told}
    training = run.content["training"]
    epochs, planned = training["epochs"], training.get("planned_epochs")
    # A test of a run that was trained on may tell how long it was when it began.
    if isinstance(planned, int) and isinstance(epochs, int) and planned >= epochs:
        values[_LENGTH] = str(planned)
    elif not run.config:
        values[_LENGTH] = str(epochs)
    return {**values, **earlier.values(run, given)}


def _otherwise(values: Mapping[str, str], names: tuple[str, ...], source: str) -> list[str]:
    """Return the options in which a run differs from files of the package."""
    own = {key: text for key, text in values.items() if not earlier.is_of_earlier(key)}
    return differing(shipped.seen(own), shipped.seen(shipped.made(names, source)))


def _untold(found: Sequence[str], given: tuple[str, ...]) -> Iterator[str]:
    """Yield the options that the command line does not give."""
    return (key for key in found if not is_below(key, given))


def _made_other(given: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Return the given options without those that give what the package's files have anyway."""
    return tuple(k for k in given if any(is_below(o, (k,)) or is_below(k, (o,)) for o in found))


def _base(run: Run, command: Sequence[str], files: Sequence[PurePath]) -> str:
    over = _own_over(files)
    plain = [file for file in _plain(files) if file not in over]
    stems = [file.stem for file in plain]
    again = len(plain) == 1 and _OF_RUN.fullmatch(plain[0].name)  # started from a run folder
    if again or (not stems and "test" in command[:2]):  # or its results.json was lost
        return run.folder.resolve().parent.name
    return "-".join(stems) or str(run.content["method"]).rsplit(".", 1)[-1]


def _plain(files: Sequence[PurePath]) -> list[PurePath]:
    """Return the files that may name a method."""
    return [file for file in files if not shipped.is_fragment(file) and not _is_recipe(file)]


def _own_over(files: Sequence[PurePath]) -> list[PurePath]:
    """Return the files of the user's own that lie over a method of the package."""
    first, *others = _plain(files) or [PurePath()]
    named = shipped.name_of(first) is not None
    return [file for file in others if named and shipped.name_of(file) is None]


def _is_recipe(file: PurePath) -> bool:
    """Return whether a file is a recipe of the package; one of the user's own may be anything."""
    return file.parent.name == shipped.RECIPES and shipped.name_of(file) is not None
