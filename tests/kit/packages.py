"""Packages as an installer leaves them, without one: modules and a .dist-info in a folder."""

import sys

import pytest


def install(folder, name, points, **modules):
    """Write a package into a folder that is on the path.

    Args:
        folder: where it lies.
        name: of the distribution.
        points: entry points, `{group without lt_lightning.: {name: value}}`.
        modules: source by the name of the module, with a slash in a package.
    """
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, entries in points.items():
        lines += [f"[lt_lightning.{group}]", *(f"{key} = {entries[key]}" for key in entries)]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for module, source in modules.items():
        file = folder / f"{module}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return an empty folder on the path.

    What is imported from it stays known to the bases of its classes: each test needs names of its
    own, and a name of ours a process of its own.
    """
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
