"""What is odd about pictures: each kind as a text with its number and an example, or as none."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lt_lightning.errors import counted

SHOWN = 3  # examples
Counts = Mapping[str, Sequence[int]]  # by split, the images of each class


def twice(where: str, groups: Sequence[Sequence[Path]], root: Path) -> Iterator[str]:
    """Yield what is told of pictures that are there several times.

    Args:
        where: they are, such as "in two splits".
        groups: the files of each.
        root: the folder of the pictures.
    """
    if groups:
        example = " = ".join(below(path, root) for path in groups[0][:SHOWN])
        yield f"the same picture is {where}: {counted(len(groups), 'picture')}, such as {example}"


def missing(names: Sequence[str], counts: Counts) -> Iterator[str]:
    """Yield what is told of each split that classes have no image in."""
    for split, of in counts.items():
        absent = [name for name, count in zip(names, of, strict=True) if not count]
        if absent:
            told = counted(len(absent), "class has", "classes have")
            yield f"{told} no image in {split}: {_some(absent)}"


def alike(pairs: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield what is told of class names, as `confusable` returns them."""
    told = [f"{first!r} and {second!r} ({why})" for first, second, why in pairs]
    if told:
        what = counted(len(told), "pair of class names is", "pairs of class names are")
        yield f"{what} easily confused: {_some(told)}"


def below(path: Path, root: Path) -> str:
    """Return a path as it is below the folder of the pictures."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:SHOWN]) + (", ..." if len(texts) > SHOWN else "")
