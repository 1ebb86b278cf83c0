"""The README says what is true."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _script():
    spec = importlib.util.spec_from_file_location("readme_table", ROOT / "tests/readme_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_table_of_methods_is_that_of_the_code():
    script = _script()
    text = script.README.read_text("utf-8")
    assert script.BEGIN in text
    assert script.END in text
    assert script.with_table(text) == text, "run `make readme`"


def test_configs_and_files_named_in_the_readme_exist():
    import re

    text = (ROOT / "README.md").read_text("utf-8")
    for path in re.findall(r"(?:configs|docs|results)/[\w/.-]+\.\w+", text):
        assert (ROOT / path).is_file(), path
