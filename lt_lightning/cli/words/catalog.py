"""Every public name with its one line and its paper, read from the source without importing it.

The docstrings are the only place where these texts stand; `lt methods` begins with them.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
SECTIONS = {
    "methods": "Methods (--model NAME)",
    "losses": "Losses and class weights (--model.loss NAME, --model.loss.weights NAME)",
    "samplers": "Samplers (--data.sampler NAME)",
    "augment": "Augmentation and mixing",
    "heads": "Heads (--model.head NAME) and classifiers of stage 2 (--model.classifier NAME)",
    "post_hoc": "Without training (--post_hoc NAME)",
    "backbones": "Backbones (--model.backbone NAME)",
    "tuning": "Fine-tuning (--model.tuning NAME)",
    "data": "Data (--data.source NAME, --data.profile NAME)",
}


@dataclass(frozen=True)
class Entry:
    """One public class with a paper."""

    section: str
    name: str
    line: str
    paper: str


def exported(section: str) -> list[str]:
    """Return the public names of a section."""
    tree = ast.parse((PACKAGE / section / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(name, ast.Name) and name.id == "__all__" for name in targets):
            assert isinstance(node, ast.Assign)
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _paper(docstring: str) -> str | None:
    for paragraph in docstring.split("\n\n"):
        text = " ".join(paragraph.split())
        if text.startswith("Paper: "):
            return text.removeprefix("Paper: ")
    return None


@cache
def entries() -> tuple[Entry, ...]:
    """Return all exported classes that name a paper, section by section, sorted by name."""
    found = []
    for section in SECTIONS:
        public = set(exported(section))
        for file in sorted((PACKAGE / section).glob("*.py")):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                text = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
                if not isinstance(node, ast.ClassDef) or text is None or node.name not in public:
                    continue
                paper = _paper(text)
                if paper is not None:
                    line = " ".join(text.split("\n\n")[0].split())
                    found.append(Entry(section, node.name, line, paper))
    order = list(SECTIONS)
    return tuple(sorted(found, key=lambda e: (order.index(e.section), e.name.lower())))
