"""The list of long tests names tests that there are, and none that the default suite always has."""

from pathlib import Path

import pytest
from costs import ALWAYS, long_ones

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("file", sorted({name.split("::")[0] for name in long_ones()}))
def test_the_functions_of_a_file_are_there(file):
    """Trap: a test that is renamed leaves its line behind."""
    text = (ROOT / file).read_text("utf-8")
    names = [name.split("::")[-1] for name in long_ones() if name.startswith(f"{file}::")]
    assert [name for name in names if f"def {name}(" not in text] == []


def test_what_the_default_suite_always_has_is_not_among_them():
    assert all((ROOT / file).is_file() for file in ALWAYS)
    assert not any(name.startswith(ALWAYS) for name in long_ones())
