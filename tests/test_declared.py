"""What a class can do is declared by a type; what is asked by name has a reason beside it."""

import ast
import warnings
from pathlib import Path

from lt_lightning.cli.dispatch import quiet

PACKAGE = Path(__file__).parents[1] / "lt_lightning"
# Files that ask by name, and how often: objects of other libraries that declare no type, names
# that come from a file.
ASKED = {
    "backbones/timm_backbone.py": 1,  # its networks share no base that declares their widths
    "cli/words/type_words.py": 1,  # jsonargparse's actions are private classes
    "heads/parts.py": 1,  # a head is any module of torch
    "runs/class_path.py": 2,  # the name is that of a file, or of a module that a class came from
    "runs/gate.py": 2,  # functions, modules and partials have no type that holds a name
    "runs/yaml_file.py": 1,  # yaml may lack its fast loader
}


def test_nothing_of_our_own_is_found_by_its_name():
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = [f.id for f in calls if isinstance(f, ast.Name) and f.id in ("getattr", "hasattr")]
        if names:
            found[file.relative_to(PACKAGE).as_posix()] = len(names)
    more = {name: count for name, count in found.items() if count > ASKED.get(name, 0)}
    assert not more, f"declare it on the base, or as a Protocol: {more}"
    assert set(found) == set(ASKED), "the table has a file that asks no more"


def test_only_the_command_sets_warnings_for_its_whole_process():
    found = [
        file.relative_to(PACKAGE).as_posix()
        for file in sorted(PACKAGE.rglob("*.py"))
        if "filterwarnings(" in (text := file.read_text(encoding="utf-8"))
        and "catch_warnings(" not in text
    ]
    assert found == ["cli/dispatch.py"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet()
        warnings.warn("Found 3 module(s) in eval mode at the start of training.", stacklevel=1)
