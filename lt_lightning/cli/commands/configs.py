"""`lt configs`: the configs that come with the package, listed, shown and copied."""

from collections.abc import Sequence
from pathlib import Path

from lt_lightning import shell
from lt_lightning.errors import Refused, UserError
from lt_lightning.nearest import nearest
from lt_lightning.runs.files import whole_file
from lt_lightning.runs.packaged import configs, find

HELP = """\
lt configs: the configs that come with the package

  lt configs                          their names, one a line: lt fit --config NAME
  lt configs show NAME                one of them, with what it is and whence
  lt configs copy NAME ... [--to DIR] copies to change, DIR/NAME.yaml; nothing is written over"""

_PARTS = {
    "": "Methods",
    "data": "Data, over a method: lt fit --config bbn --config data/digits",
    "recipe": "Recipes",
    "sweeps": "Tables of runs: lt sweep short",
    "trainer": "Machines",
    "logger": "Loggers",
}


def configs_command(arguments: Sequence[str]) -> str:
    """Answer `lt configs ...`.

    Args:
        arguments: the words after `lt configs`.

    Raises:
        Refused: if they are not understood.
        UserError: if a copy would be written over a file.
    """
    if not arguments:
        return listing()
    command, rest = arguments[0], list(arguments[1:])
    if command == "show" and len(rest) == 1:
        return _known(rest[0]).read_text(encoding="utf-8").rstrip("\n")
    if command == "copy":
        folder = Path()
        if "--to" in rest[:-1]:
            place = rest.index("--to")
            folder = Path(rest[place + 1])
            del rest[place : place + 2]
        if rest and not any(word.startswith("-") for word in rest):
            return _copied([_known(name) for name in rest], folder)
    raise Refused(
        f"lt configs does not know {' '.join(arguments)!r}: give nothing, show NAME, or copy NAME "
        "... --to DIR."
    )


def listing() -> str:
    """Return one line for each config, part by part."""
    width = max(map(len, configs()))
    lines: list[str] = []
    for part, title in _PARTS.items():
        lines += ["", title] if lines else [title]
        for name, file in configs().items():
            if name.rpartition("/")[0] == part:
                lines.append(f"  {name:{width}}  {_first_line(file)}")
    return "\n".join(lines)


def _first_line(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _known(name: str) -> Path:
    file = find(name)
    if file is None:
        near = nearest(name, configs())
        hint = f"did you mean {near!r}?" if near else "lt configs lists them."
        raise Refused(f"There is no config {name!r}: {hint}")
    return file


def _copied(files: Sequence[Path], folder: Path) -> str:
    names = {file: name for name, file in configs().items()}
    files = list(dict.fromkeys(files))
    targets = [folder / f"{names[file]}.yaml" for file in files]
    there = next((target for target in targets if target.exists() or target.is_symlink()), None)
    if there is not None:
        raise UserError(f"{there} exists and is not written over: give another folder by --to DIR.")
    for file, target in zip(files, targets, strict=True):
        with whole_file(target, "give another folder by --to DIR") as copy:
            copy.write(file.read_bytes())
    return "\n".join(f"{target}: lt fit --config {shell.word(target)}" for target in targets)
