"""The public classes of the package, read from its source without importing it."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lt_lightning"
SECTIONS = {
    "methods": "Methods",
    "losses": "Losses and class weights",
    "samplers": "Samplers",
    "augment": "Augmentation and mixing",
    "heads": "Heads",
    "classifiers": "Classifiers of stage 2",
    "post_hoc": "Without training",
    "backbones": "Backbones",
    "tuning": "Fine-tuning",
    "data": "Data",
    "metrics": "Metrics",
}


@dataclass(frozen=True)
class Public:
    """A public class or function, with its docstring cut into paragraphs."""

    section: str
    name: str
    module: str
    text: str

    @property
    def line(self) -> str:
        """The first paragraph on one line."""
        return " ".join(self.text.split("\n\n")[0].split())

    @property
    def paper(self) -> str:
        """Where it is published, or nothing."""
        return " ".join(self._paragraph("Paper: ").split()).removeprefix("Paper: ")

    @property
    def body(self) -> list[str]:
        """What stands between the first line and the paper: equations, and what they mean."""
        heads = ("Paper: ", "Args:", "Attributes:", "Raises:", "Returns:")
        return [part for part in self.text.split("\n\n")[1:] if not part.startswith(heads)]

    def _paragraph(self, head: str) -> str:
        return next((part for part in self.text.split("\n\n") if part.startswith(head)), "")


def _module_file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _found(section: str, name: str, module: str) -> Public | None:
    """Follow the imports of `name` to where it is defined."""
    for node in _tree(_module_file(module)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return Public(section, name, module, ast.get_docstring(node) or "")
        if isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                if (item.asname or item.name) == name:
                    return _found(section, item.name, node.module)
    return None


@cache
def public(section: str) -> tuple[Public, ...]:
    """Return what a package of `lt_lightning` exports, sorted by name; nothing if there is none."""
    file = PACKAGE / section / "__init__.py"
    if not file.is_file():
        return ()
    names: list[str] = []
    for node in _tree(file).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = ast.literal_eval(node.value)
    found = (_found(section, name, f"lt_lightning.{section}") for name in names)
    return tuple(sorted(filter(None, found), key=lambda one: one.name.lower()))


@cache
def by_name() -> dict[str, Public]:
    """Return all of them by name."""
    return {one.name: one for section in SECTIONS for one in public(section)}
