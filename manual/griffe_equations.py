"""Docstrings on the pages of the API: formulas are shown as on the pages of the methods."""

from typing import Any

import griffe

from manual import equations


class Equations(griffe.Extension):
    """Rewrites the paragraphs before the sections of a docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Mark the formulas of one docstring."""
        if obj.docstring is None or obj.docstring.value.startswith("Initialize self"):
            return
        parts, sections = obj.docstring.value.split("\n\n"), False
        for place, part in enumerate(parts):
            sections = sections or part.startswith(("Args:", "Attributes:", "Raises:", "Returns:"))
            if part.startswith(">>> "):
                parts[place] = f"```pycon\n{part}\n```"
            elif not sections:
                parts[place] = equations.block(part) if place else equations.inline(part)
        obj.docstring.value = "\n\n".join(parts)
