"""What the values of a split column mean."""

import json
import shlex
from collections.abc import Mapping, Sequence

from lt_lightning.data.csv_table import Table
from lt_lightning.data.layout import SPLITS, split_named
from lt_lightning.errors import UserError

_SHOWN = 80  # letters of a value that a message shows


class SplitValues:
    """The values that are given a meaning, beside the usual names of splits.

    Args:
        given: by value, as a column has it, train, val, test, or none for images that are left
            out.

    Raises:
        UserError: if a value is no text or whole number, or means no split.
    """

    def __init__(self, given: Mapping[str | int, str | None]) -> None:
        self._splits: dict[str, str | None] = {}
        for value, split in given.items():
            if type(value) not in (str, int):  # YAML has more than one spelling of these
                raise UserError(
                    f"split_values has the value {value!r}, which YAML takes for no text: write it "
                    f"in double quotes, such as {_option('yes', 'train')}."
                )
            if not (split is None or (isinstance(split, str) and split in SPLITS)):
                raise UserError(
                    f"split_values has {split!r} for {value!r}: give train, val, test or null."
                )
            self._splits[str(value)] = split
        self._used: set[str] = set()

    def of(self, value: str, where: str) -> str | None:
        """Return the split of a line, or none where its image is left out.

        Args:
            value: in the split column.
            where: the line.

        Raises:
            UserError: if the value has no meaning.
        """
        if value in self._splits:
            self._used.add(value)
            return self._splits[value]
        found = split_named(value)
        if found is None:
            raise UserError(
                f"{where} has the split {value[:_SHOWN]!r}: say what it is by "
                f"{_option(value[:_SHOWN], 'train')}, or null to leave its images out."
            )
        return found

    def check_used(self, tables: Sequence[Table], column: str | None) -> None:
        """Refuse a value that no line has, after all lines were asked for.

        Args:
            tables: that were read.
            column: of splits, where it is named.

        Raises:
            UserError: with the value.
        """
        unused = next((value for value in self._splits if value not in self._used), None)
        if unused is not None:
            raise UserError(
                f"split_values has {unused!r} but no line of {tables[0].file} has it in its column "
                f"{column or 'split'}: take it away, or name the column by "
                "--data.source.split_column."
            )


def _option(value: str, split: str) -> str:
    """Return the option as a shell takes it: YAML in double quotes holds any value."""
    key = json.dumps(value, ensure_ascii=not value.isprintable())
    return f"--data.source.split_values {shlex.quote(f'{{{key}: {split}}}')}"
