"""How a folder of images is laid out: split folders, or classes at once; doubt is refused."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lt_lightning import shell
from lt_lightning.data.files import (
    KINDS,
    PassedOver,
    folders_in,
    has_image,
    images_below,
    images_in,
)
from lt_lightning.errors import UserError
from lt_lightning.nearest import one_apart, other_form

SPLITS = {  # names of their folders, in any case
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_LIKE = {"eval": "val", "evaluation": "val", "dev": "val", "holdout": "val", "trn": "train"}
ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # the last are bytes that are no UTF-8
_SHORTEST = 4  # letters of a name that may be a mistyped one


@dataclass(frozen=True)
class Layout:
    """Where the classes of a folder lie.

    Attributes:
        root: the folder.
        splits: the folder of each split; none where the classes lie in the root itself.
        unused: folders beside the splits that hold images.
    """

    root: Path
    splits: dict[str, Path] = field(default_factory=dict)
    unused: tuple[Path, ...] = ()

    @property
    def train(self) -> Path:
        """The folder of the classes."""
        return self.splits.get("train", self.root)


@dataclass(frozen=True)
class _Looks:
    """What a folder could be: it has `loose` images, or sub-folders with images (`classes`)."""

    loose: bool
    classes: frozenset[str]

    @staticmethod
    def of(folder: Path) -> "_Looks":
        inner = frozenset(below.name for below in folders_in(folder) if has_image(below))
        return _Looks(bool(images_in(folder)), inner)


def split_named(name: str) -> str | None:
    """Return the split that a folder of this name is, if it is one."""
    plain = name.casefold()
    return next((split for split, names in SPLITS.items() if plain in names), None)


def split_like(name: str) -> str | None:
    """Return the split that a folder of nearly this name may be meant for."""
    plain = re.sub(r"[^a-z]|images?|set|split|data", "", name.casefold())
    if split_named(name) is not None:
        return None
    if split_named(plain) or plain in _LIKE:
        return split_named(plain) or _LIKE[plain]
    near = (s for s, names in SPLITS.items() if any(one_apart(plain, known) for known in names))
    return next(near, None) if len(plain) >= _SHORTEST else None


def layout_of(root: Path) -> Layout:
    """Return how a folder is laid out.

    Raises:
        UserError: if it is none, or can be read in two ways, or is near to one that could be meant.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder: set --data.root to the folder of images.")
    folders = folders_in(root)
    named = {folder: _Looks.of(folder) for folder in folders if split_named(folder.name)}
    others = [folder for folder in folders if folder not in named]
    train = [folder for folder in named if split_named(folder.name) == "train"]
    if any(not named[folder].loose or named[folder].classes for folder in train):
        return _of_splits(root, named, [folder for folder in others if has_image(folder)])
    deep = [folder for folder, looks in named.items() if looks.classes and not looks.loose]
    if deep:
        told = f"{deep[0].name}/ with class folders in it, but no train/ like it"
        raise UserError(
            f"{root} has {told}: add train/, or rename {deep[0].name}/ if it is a class."
        )
    if train and not others:
        raise UserError(
            f"{train[0]} holds images but no class folders: put the images of each class into a "
            "folder of its own."
        )
    if not named:
        _check_near(root, others)
    return Layout(root)


def _of_splits(root: Path, named: dict[Path, _Looks], others: list[Path]) -> Layout:
    splits: dict[str, Path] = {}
    for folder in named:
        split = split_named(folder.name) or ""
        if split in splits:
            raise UserError(
                f"{root} has {splits[split].name}/ and {folder.name}/ for one split: put both into "
                "one folder, or take one away."
            )
        splits[split] = folder
    for folder in others:
        like = split_like(folder.name)
        if like is not None and like not in splits and _Looks.of(folder).classes:
            raise UserError(
                f"{root} has {splits['train'].name}/ and {folder.name}/, which looks like "
                f"{like}/: rename it to {like}, or take it away."
            )
    tested = "test" in splits and not named[splits["test"]].loose
    if others and not tested:
        train = splits["train"]
        raise UserError(
            f"{root} can be read in two ways, {train.name}/ as the training split or as a class "
            f"beside {others[0].name}/: give --data.root {shell.word(train)} for the one, rename "
            f"{train.name}/ for the other."
        )
    return Layout(root, splits, tuple(others))


def _check_near(root: Path, folders: list[Path]) -> None:
    """Refuse split folders that are all mistyped, which would become classes."""
    near = [folder for folder in folders if split_like(folder.name)]
    looks = [_Looks.of(folder) for folder in near]
    deep = [look for look in looks if look.classes and not look.loose]
    if not near or len(deep) < len(near):
        return
    shared = frozenset.intersection(*(look.classes for look in looks))
    if len(near) == len(folders) or (len(near) > 1 and shared):
        told = " and ".join(f"{one.name}/ like {split_like(one.name)}/" for one in near)
        train = next((one for one in near if split_like(one.name) == "train"), near[0])
        raise UserError(
            f"{root} has class folders in folders that look like splits, {told}: rename them, or "
            f"give --data.root {shell.word(train)} for its classes alone."
        )


def labelled_part(root: Path, names: list[str]) -> Path:
    """Return the folder of test/<class>/* in `root`, or `root` itself where it has <class>/*.

    Args:
        root: a folder of labelled images.
        names: the classes of a run.

    Raises:
        UserError: if there are two of the one, or both.
    """
    folders = folders_in(root)
    tests = [folder for folder in folders if split_named(folder.name) == "test"]
    tests = [folder for folder in tests if folder.name not in names or not images_in(folder)]
    if len(tests) > 1:
        raise UserError(
            f"{root} has {tests[0].name}/ and {tests[1].name}/ for one split: name one of them."
        )
    beside = [f for f in folders if f not in tests and f.name in names and not split_named(f.name)]
    if tests and beside:
        raise UserError(
            f"{root} can be read in two ways, by {tests[0].name}/ and by the class "
            f"{beside[0].name}/ beside it: name {tests[0]}, or take it away."
        )
    return tests[0] if tests else root


def class_folders(folder: Path) -> list[str]:
    """Return the names of the class folders, sorted.

    Raises:
        UserError: if there are fewer than two, or a name is no text.
    """
    names = [path.name for path in folders_in(folder)]
    odd = next((name for name in names if ODD.search(name)), None)
    if odd is not None:
        raise UserError(
            f"{folder} has the class folder {odd!r}, a name that is no text in UTF-8 or has "
            "control characters: rename it, for the results name the classes."
        )
    if len(names) < 2:
        raise UserError(
            f"{folder} has {len(names)} class folders: put the images of each class into a folder "
            "of its own, two classes at least."
        )
    return names


def files_of_classes(
    folder: Path, names: list[str], passed: PassedOver, full: bool = False
) -> tuple[list[Path], list[int]]:
    """Return the files of <class>/* and their labels.

    Args:
        folder: has a folder for each class.
        names: the classes, in label order.
        passed: counts what is not used.
        full: whether each must have an image.

    Raises:
        UserError: if there is a folder of another class, or a class without an image must have one.
    """
    # Names of a table may be ".." or too long for a folder: only what lies there is looked into.
    own = {path.name: path for path in folders_in(folder)}
    unknown = [name for name in own if name not in names]
    form = other_form(unknown[0], names) if unknown else None
    if form is not None:
        raise UserError(
            f"{folder} has the class {unknown[0]!r}, which differs from {form!r} of the training "
            "images in its Unicode form alone: rename one as the other, by copying the name."
        )
    if unknown:
        raise UserError(
            f"{folder} has the class {unknown[0]!r}, which has no training images: remove the "
            "folder, or add training images of that class."
        )
    _pass_over(images_in(folder), passed)
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        below = images_below(own[name], passed) if name in own else []
        if not below and full:
            raise UserError(
                f"The class folder {folder / name} holds no image ({KINDS}): add images, or "
                "remove the folder."
            )
        paths += below
        labels += [label] * len(below)
    return paths, labels


def pass_over_unused(layout: Layout, passed: PassedOver) -> None:
    """Count the images that lie in the root of splits, or in folders beside them."""
    if layout.splits:
        _pass_over(images_in(layout.root), passed)
    for folder in layout.unused:
        for path in images_below(folder, PassedOver()):
            passed.add(path, f"in {folder.name}/, which is no split")


def _pass_over(images: Iterable[Path], passed: PassedOver) -> None:
    for path in images:
        passed.add(path, "images in no class folder")
