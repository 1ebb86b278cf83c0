"""What mkdocs calls: made pages are added."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from manual import pages

_TITLES = {"methods/": "A page each", "api/": "All classes"}


def on_config(config: Any) -> Any:
    """Put the made pages where the navigation names their folder."""
    names = pages.page_names()
    for section in config.nav:
        for title, entries in section.items():
            if not isinstance(entries, list):
                continue
            made: list[Any] = []
            for entry in entries:
                folder = entry if isinstance(entry, str) and entry.endswith("/") else ""
                found = [name for name in names if folder and name.startswith(folder)]
                found = [name for name in found if name != f"{folder}index.md"]
                made += [{_TITLES[folder]: found}] if found else [entry]
            section[title] = made
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the made pages."""
    from mkdocs.structure.files import File

    for name, text in pages.pages().items():
        files.append(File.generated(config, name, content=text))
    return files
