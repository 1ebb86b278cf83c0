"""Write the table of methods into the README; `make readme` calls it, a test compares."""

import re
import sys
from pathlib import Path

from lt_lightning.cli.catalog import markdown

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- methods: written by make readme -->", "<!-- end of methods -->"


def with_table(text: str) -> str:
    table = f"{BEGIN}\n{markdown()}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: table, text, flags=re.S)


if __name__ == "__main__" and "--write" in sys.argv:
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")
