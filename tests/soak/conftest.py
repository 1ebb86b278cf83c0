"""Where the tables of what was tried are written."""

from pathlib import Path

import pytest

TABLES = Path(__file__).parents[2] / "build" / "soak"


@pytest.fixture(scope="session")
def tables():
    TABLES.mkdir(parents=True, exist_ok=True)
    return TABLES
