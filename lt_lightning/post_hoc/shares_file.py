"""A file of class shares: CSV, text, JSON or YAML."""

import io
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path

from lt_lightning.data.csv_table import each_row
from lt_lightning.data.listed import text_of
from lt_lightning.errors import UserError, one_sentence, printable
from lt_lightning.inputs import told_value
from lt_lightning.nearest import nearest, other_form
from lt_lightning.runs.json_file import read_json
from lt_lightning.runs.yaml_file import read_yaml

KINDS = (".csv", ".tsv", ".txt", ".json", ".yaml", ".yml")
_SHOWN = 5  # names in a message
_LETTERS = 60  # of a name in it
_TAKEN = "give one number for each class, by its name"


def read_shares(file: Path, names: Collection[str] = ()) -> dict[str, float]:
    """Return what a file says of each class, by its name.

    A CSV has two columns, the name and the number, with or without a line of headings; a text file
    has a name and a number a line; JSON and YAML have a mapping.

    Args:
        file: the file.
        names: of the classes: blanks around a name in a CSV or a text file count where they are
            those of a class.

    Raises:
        UserError: if it cannot be read, is of another kind, or names a class twice.
    """
    suffix = file.suffix.lower()
    if suffix not in KINDS:
        raise UserError(
            f"{file} is no file of class shares: give a name that ends in {', '.join(KINDS)}."
        )
    if suffix in (".json", ".yaml", ".yml"):
        pairs = _of_mapping(file, suffix == ".json")
    else:
        written = _of_lines(file) if suffix == ".txt" else _of_table(file)
        known = set(names)
        pairs = [(name if name in known else name.strip(), number) for name, number in written]
    twice = [name for name, number in Counter(name for name, _ in pairs).items() if number > 1]
    if twice:
        raise UserError(f"{file} names the class {_told(twice)} twice: leave one out.")
    return dict(pairs)


def in_order(shares: Mapping[str, float], names: Sequence[str], source: str) -> list[float]:
    """Return the shares in the order of the classes; their sum is 1.

    Args:
        shares: 0 or more, of any sum above 0, so that counts will do.
        names: of the classes, C.
        source: what they come from, for messages.

    Raises:
        UserError: if the names are not those of the classes, or the numbers are no shares.
    """
    known = set(names)
    unknown = [name for name in shares if name not in known]
    if unknown:
        near = nearest(unknown[0], names)
        remedy = f"did you mean {printable(near)!r}?" if near else f"they are {_told(names)}."
        if other_form(unknown[0], names) is not None:
            remedy = "a class differs from it in its Unicode form alone, write it as the run does."
        raise UserError(f"{source} names {_told(unknown)}, no class of the run: {remedy}")
    missing = [name for name in names if name not in shares]
    if missing:
        raise UserError(
            f"{source} has no share for {len(missing)} of {len(names)} classes ({_told(missing)}): "
            "add them, with 0 where a class does not occur."
        )
    for name, share in shares.items():
        if not isinstance(share, Real) or isinstance(share, bool):
            told = f"{source} has {told_value(share)} for {_told([name])}"
            raise UserError(f"{told}, which is no number: {_TAKEN}.")
        if not 0 <= share < float("inf"):  # false for NaN
            raise UserError(f"{source} has the share {share} for {_told([name])}: give 0 or more.")
    # Divided by the largest, so that the sum is no infinity; whole numbers may be of any size.
    largest = max(shares.values())
    if largest == 0:
        raise UserError(f"{source} has the share 0 for every class: give one of them more.")
    parts = [float(shares[name] / largest) for name in names]
    total = math.fsum(parts)
    return [part / total for part in parts]


def _of_mapping(file: Path, is_json: bool) -> list[tuple[str, float]]:
    try:
        found = read_json(file) if is_json else read_yaml(file)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file} cannot be read ({one_sentence(str(error))[:200]}): {_TAKEN}."
        ) from error
    if not isinstance(found, dict):
        raise UserError(f"{file} holds no mapping: {_TAKEN}.")
    return [(_name(file, name), _number(f"{file}", str(name), found[name])) for name in found]


def _name(file: Path, name: object) -> str:
    """Return a key as text; YAML reads 1, no and null as something else."""
    if isinstance(name, str) or type(name) is int:
        return str(name)
    raise UserError(
        f"{file} has the key {name!r}, which YAML takes for no text: put it in quotation marks."
    )


def _of_lines(file: Path) -> list[tuple[str, float]]:
    found = []
    for place, line in enumerate(text_of(file).splitlines(), 1):
        if line.strip():
            name, _, number = line.rstrip().replace("\t", " ").rpartition(" ")
            if not name.strip():
                raise UserError(f"Line {place} of {file} is no name and a number: {_TAKEN}.")
            found.append((name, _number(f"Line {place} of {file}", name, number)))
    return found


def _of_table(file: Path) -> list[tuple[str, float]]:
    stream = io.StringIO(text_of(file), newline="")
    rows = list(each_row(file, stream, as_written=True))
    for place, cells in rows:
        if len(cells) != 2:
            raise UserError(
                f"Line {place} of {file} has {len(cells)} cells: give two, the name of a class and "
                "its share."
            )
    if rows and _float(rows[0][1][1]) is None:
        rows = rows[1:]  # the headings
    return [
        (name, _number(f"Line {place} of {file}", name, share)) for place, (name, share) in rows
    ]


def _number(where: str, name: str, value: object) -> float:
    found = _float(value)
    if found is None:
        told = printable(str(value)[:_LETTERS])
        raise UserError(f"{where} has {told!r} for {_told([name])}, which is no number: {_TAKEN}.")
    return found


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _told(names: Iterable[str]) -> str:
    """Return some names for a message."""
    listed = list(names)
    shown = [repr(printable(name[:_LETTERS])) for name in listed[:_SHOWN]]
    return ", ".join(shown) + (", ..." if len(listed) > _SHOWN else "")
