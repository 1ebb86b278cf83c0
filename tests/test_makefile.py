"""Every target of the Makefile does something, and make has nothing to say against it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Makefile").read_text("utf-8")
(PHONY,) = re.findall(r"^\.PHONY: (.*)$", TEXT, flags=re.MULTILINE)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", PHONY.split())
def test_a_target_has_commands_and_no_warning(target, tmp_path):
    """Trap: a rule that was put into another one left `make docs` and `make results` empty."""
    command = ["make", "--dry-run", f"VENV={tmp_path / 'venv'}", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert not done.stdout.startswith("make: ")


def test_help_lists_every_target():
    listed = re.findall(r"^([a-z-]+):.*## ", TEXT, flags=re.MULTILINE)
    assert sorted(listed) == sorted(PHONY.split())
