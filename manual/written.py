"""What `make results` writes into files of the repository: tables, and the heads of configs."""

import re
import sys
from functools import cache
from pathlib import Path

import yaml

from manual import measured
from manual.source import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "results" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
# A table stands between the comment that asks for it and an empty line: text would be a row of it.
_ASKED = re.compile(r"(<!-- measured: (.*?)\n-->\n)\n(?:\|[^\n]*\n)*\n?", flags=re.DOTALL)
# A list of what the rows of a folder are compared with, up to the first line that is none of it.
_BESIDE = re.compile(r"(<!-- published beside: (\S+) -->\n)\n(?:- [^\n]*\n)*\n?")


def document(text: str) -> str:
    """Return a document with its tables and lists made anew."""
    made = _ASKED.sub(lambda found: f"{found[1]}\n{measured.asked(found[2])}\n\n", text)
    made = _BESIDE.sub(lambda found: f"{found[1]}\n{measured.beside(found[2])}\n\n", made)
    return made.rstrip() + "\n"


def post_hoc(text: str) -> str | None:
    """Return how results call the change without training that a config ends with."""
    return measured.POST_HOC.get(yaml.safe_load(text).get("post_hoc", {}).get("class_path"))


def config(text: str, stem: str) -> str:
    """Return a config with the lines of its head on what was measured made anew.

    Raises:
        ValueError: if its head has no place for them, a line that begins with `# Measured here:`.
    """
    lines = text.splitlines()
    old = [at for at, line in enumerate(lines) if line.startswith("# Measured here:")]
    if not old:
        raise ValueError(f"configs/{stem}.yaml has no line '# Measured here:' in its head.")
    kept = [line for at, line in enumerate(lines) if at not in old]
    kept[old[0] : old[0]] = [f"# {line}" for line in measured.head_lines(stem, post_hoc(text))]
    return "\n".join(kept) + "\n"


@cache
def made() -> dict[Path, str]:
    """Return what each of these files should hold."""
    documents = {path: document(path.read_text("utf-8")) for path in DOCUMENTS}
    configs = {path: config(path.read_text("utf-8"), path.stem) for path in CONFIGS}
    return documents | configs


def main() -> None:
    """Write what has changed, and name it."""
    for path, text in made().items():
        if text != path.read_text("utf-8"):
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
