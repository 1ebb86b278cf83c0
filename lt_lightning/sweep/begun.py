"""Whether the run in a folder is the one that is asked for: its own command and config tell."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import argv, config_files, lock, origin
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.config import began_with, went_on_with
from lt_lightning.runs.fits import difference
from lt_lightning.runs.results import FILE_NAME as RESULTS
from lt_lightning.runs.results import epochs_told, read_results
from lt_lightning.runs.same_run import ASIDE
from lt_lightning.runs.watching import compared, ends_early
from lt_lightning.sweep.job import GROUP, Job, place
from lt_lightning.sweep.spec import RATIO

TAKEN_OVER = ("--model.stage1_ckpt=", "--model.backbone_init=")
LENGTH = "--trainer.max_epochs="
NO_PRETRAINING = ("--pretrain.config=null", "--pretrain.options=null")
_TAKEN = ("checkpoints/stage1.ckpt", "checkpoints/last.ckpt", run_folder.PRETRAIN)
_DIGITS = 9  # of a number of epochs
_PLACE = ("runs", "name", "version", "ckpt_path")  # where it lies, and that it goes on
# What the start of a run writes into config.yaml: paths in full, and what was left open.
_PATHS = ("config", *_PLACE, "model.stage1_ckpt", "model.backbone_init", "model.teacher")
_FILLED = (
    "trainer.max_epochs", "trainer.precision", "data.normalize", "data.source.image_size",
    "model.backbone.image_size",
)  # fmt: skip


def has_begun(folder: Path) -> bool:
    """Return whether there is a run of worth in a folder, or one that has just begun."""
    if run_folder.has_checkpoint(folder) or (folder / RESULTS).is_file():
        return True
    return origin.is_known(folder) and lock.is_held(folder)


def taken_over(job: Job, root: Path) -> tuple[str, ...] | None:
    """Return the words by which the run in the folder of a job takes over what others trained.

    Args:
        job: a run; its place may be written otherwise than when it began.
        root: the folder of the sweep, where also the others lie.

    Returns:
        None where the folder is of another command than that of the job, or does not tell.
    """
    command = origin.command_of(job.folder(root))
    if command is None or command[:2] != ["lt", "fit"]:
        return None
    asked, began = _items(job.words), _items(command[2:])
    own, more = began[: len(asked)], began[len(asked) :]
    return _taken(more, command, root) if _told(own) == _told(asked) else None


def _taken(items: Sequence[argv.Item], command: list[str], root: Path) -> tuple[str, ...] | None:
    """Return the words of a command that take something over; none where they do anything else."""
    before = [item.value for item in argv.items(command) if item.key == "runs"]
    try:
        found = [_moved(word, f"{before[-1]}", root) for item in items for word in item.words]
    except (Refused, ValueError, LookupError):
        return None
    whole = not found or any(word.startswith(TAKEN_OVER) for word in found)
    return tuple(found) if whole else None  # another length alone takes over nothing


def as_begun(job: Job, root: Path) -> Job:
    """Return the job with the words that its run began with, where they are others.

    Only of a run that `check_begun` has found to be the same; what was taken over is not in them.
    """
    command = origin.command_of(job.folder(root))
    if command is None or taken_over(job, root) is not None:
        return job
    own, _ = _by_place(command)
    group = [word for word in job.words if word.startswith(f"--{GROUP}=")][-1:]
    place_ = place(root, job.name, job.version)
    return replace(job, words=(*(word for one in own for word in one.words), *group, *place_))


def _by_place(command: list[str]) -> tuple[list[argv.Item], list[argv.Item]]:
    """Return what a command of a sweep asks for, and what follows its place: what it takes over."""
    found = argv.items(command[2:])
    places = [k for k, item in enumerate(found, 1) if item.key in ("runs", "name", "version")]
    parts = found[: max(places, default=0)], found[max(places, default=0) :]
    own, more = ([word for item in part for word in item.words] for part in parts)
    return _items(own), _items(more)


def check_begun(job: Job, config: Mapping[str, Any], root: Path) -> tuple[str, ...] | None:
    """Return what the run of a job takes over, or none where it has not begun.

    Args:
        job: a run.
        config: what its words, without its place, say in full.
        root: the folder of the sweep.

    Raises:
        UserError: if the run in its folder is another one.
    """
    folder = job.folder(root)
    if not has_begun(folder):
        return None
    found = taken_over(job, root)
    if found is None:
        found = _in_other_words(job, config, root)
    elif (folder / "config.yaml").is_file() or not lock.is_held(folder):
        # What stands on the command line was compared already.
        given = [item.key for item in argv.items([*job.words, *found]) if not item.is_file]
        _check_config(job, config, folder, (*_PATHS, *given))
    else:
        return found
    _check_as_it_began(job, folder, found)
    return found


def _in_other_words(job: Job, config: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """Return what a run takes over that was told otherwise than its job, but has its config.

    Raises:
        UserError: if it has another one, or does not tell.
    """
    folder = job.folder(root)
    file, command = folder / origin.FILE, origin.command_of(folder)
    if command is None:
        raise UserError(
            f"The run {job.id} does not tell what it is, for {file} is gone or damaged: put that "
            "back, give the sweep another --name, or the row another name."
        )
    own, more = _by_place(command)
    found = _taken(more, command, root) if command[:2] == ["lt", "fit"] and own else None
    grouped = _group(own) == _group(_items(job.words))
    if found is None or not grouped or not (folder / "config.yaml").is_file():
        raise _other(job, f"see {file}")
    taken = [item.key for item in argv.items(found)]
    _check_config(job, _at_its_own(job, config), folder, ("config", *_PLACE, GROUP, *taken))
    return found


def _at_its_own(job: Job, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the config, which was looked into at one ratio and seed alone, at those of the job."""
    own = {item.key: item.value for item in argv.items(job.words)}
    found = {**config, "seed_everything": int(own["seed_everything"] or 0)}
    if (ratio := own.get(RATIO)) is not None:
        profile = config["data"]["profile"]
        options = {**profile["init_args"], "imbalance_ratio": float(ratio)}
        found["data"] = {**config["data"], "profile": {**profile, "init_args": options}}
    return found


def _group(items: Sequence[argv.Item]) -> list[str | None]:
    """Return the group of W&B that the user has given, which is not that of the sweep."""
    return [item.value for item in items if item.key == GROUP]


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two full configs, as `lt fit --print_config` writes them, are of one run."""
    return difference(one, other, "", ("config", *_PLACE)) is None


def _check_config(job: Job, config: Mapping[str, Any], folder: Path, free: tuple[str, ...]) -> None:
    """Refuse a run that began with another config.

    Args:
        job: the run.
        config: what is asked for.
        folder: where it lies.
        free: options that may differ.
    """
    open_ = {key for key, value in config_files.leaves(dict(config)) if value is None}
    filled = [key for key in _FILLED if key in open_]
    found = difference(began_with(folder), config, "", (*free, *filled))
    if found:
        key, have, want = found
        raise _other(job, f"{key} was {have} and is {want} now")


def _check_as_it_began(job: Job, folder: Path, taken: tuple[str, ...]) -> None:
    """Refuse a run that somebody has trained on, for longer say; its command is as it was."""
    changed = trained_on(folder)
    if changed:
        key, have, want = changed
        raise _other(job, f"{key} is {have}, and was {want} when it was trained on")
    training, length = training_of(folder), length_of(job, taken)
    if is_longer(training, length):
        told = epochs_told(training)
        raise _other(job, f"it was trained for {told} epochs, and {length} are asked for")


def training_of(folder: Path) -> dict[str, Any]:
    """Return what results.json tells of a training, nothing where it is damaged or not there."""
    with suppress(UserError):
        if (folder / RESULTS).is_file():
            return dict(read_results(folder)["training"])
    return {}


def trained_on(folder: Path) -> tuple[str, Any, Any] | None:
    """Return the first option by which a run was trained on otherwise, as it began and then.

    Raises:
        UserError: if one of its configs is damaged.
    """
    later = went_on_with(folder)
    began = began_with(folder) if later else {}
    for config in later:
        # What ends a training early matters in the last command alone, which says when it ended.
        ends = config is later[-1]
        free = () if ends else ("trainer.max_time",)
        found = difference(compared(began), compared(config), "", (*_PATHS, *ASIDE, *free))
        if found:
            return found
        if ends and ends_early(config) != ends_early(began):
            now, then = (
                f"{'an' if ends_early(one) else 'no'} early stop" for one in (began, config)
            )
            return "trainer.callbacks", now, then
    return None


def is_longer(training: Mapping[str, Any], epochs: int | None) -> bool:
    """Return whether a training was for more than so many epochs, as far as results.json tells."""
    told = (training.get("planned_epochs"), training.get("epochs"))
    return epochs is not None and any(isinstance(one, int) and one > epochs for one in told)


def length_of(job: Job, taken: Sequence[str]) -> int | None:
    """Return the epochs of a run that takes something over, or none where nobody knows."""
    found = [word.removeprefix(LENGTH) for word in taken if word.startswith(LENGTH)]
    return int(found[-1]) if found else job.epochs


def _other(job: Job, told: str) -> UserError:
    return UserError(
        f"The run {job.id} has begun with other options ({told}): give the sweep another --name, "
        "or the row another name."
    )


def _told(items: Sequence[argv.Item]) -> tuple[list[str], list[tuple[str, str | None]]]:
    """Return the files, in no order, and the options: an earlier version laid data over all.

    Where the order of files matters their options differ, which are compared.
    """
    files = sorted(str(item.value) for item in items if item.is_file)
    return files, [(item.flag, item.value) for item in items if not item.is_file]


def _items(words: Sequence[str]) -> list[argv.Item]:
    """Return what is asked for but for its place, by which a sweep calls its group too."""
    found = argv.items(words)
    runs = [item.value or "" for item in found if item.key == "runs"]
    group = (GROUP, Path(runs[-1]).name) if runs else None
    return [item for item in found if item.key not in _PLACE and (item.key, item.value) != group]


def _moved(word: str, before: str, root: Path) -> str:
    """Return a word of what is taken over from another run of the sweep, where that lies now.

    Raises:
        ValueError: if it takes over nothing of this sweep.
        Refused: if it leads out of its folder.
    """
    length = word.removeprefix(LENGTH)
    if word in NO_PRETRAINING:
        return word
    if word != length and length.isdecimal() and len(length) <= _DIGITS:
        return word
    key, _, path = word.partition("=")
    inside = path.removeprefix(f"{before}/")
    run, version, taken = (*inside.split("/", 2), "", "")[:3]
    if f"{key}=" not in TAKEN_OVER or inside == path or taken not in _TAKEN:
        raise ValueError(f"{word[:80]!r} takes over nothing of this sweep")
    run_folder.check_names(before, run, version)
    return f"{key}={root / run / version / taken}"


def provider(words: Sequence[str], root: Path) -> str | None:
    """Return the id of the run that such words take over from, or none."""
    for word in words:
        key, _, path = word.partition("=")
        if f"{key}=" in TAKEN_OVER:
            return "/".join(Path(path).relative_to(root).parts[:2])
    return None
