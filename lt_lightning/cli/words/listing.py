"""`lt methods`: our classes, then those that installed packages declare, section by section."""

from lt_lightning.cli.words import outside
from lt_lightning.cli.words.catalog import SECTIONS, Entry, entries
from lt_lightning.errors import UserError


def table() -> str:
    """Return the list for a terminal; ours alone needs no torch, and imports nothing."""
    others, troubles = _outside()
    lines = []
    for section, title in SECTIONS.items():
        rows = [entry for entry in (*entries(), *others) if entry.section == section]
        if rows:
            lines += ["", title]
        for row in rows:
            lines += [f"  {row.name:<28} {row.line}", f"  {'':<28} {row.paper}"]
    if troubles:
        lines += ["", "Of other packages, but not to be used", *(f"  {text}" for text in troubles)]
    return "\n".join(lines).strip()


def _outside() -> tuple[list[Entry], list[str]]:
    """Return what other packages add, and a sentence for each that cannot be used."""
    rows, troubles = list[Entry](), list[str]()
    declared = outside.found()
    for point in declared:
        other = outside.namesake(point, declared)
        if other:
            troubles.append(
                f"{point} has the name of {other}: write {point.path}, or the other path."
            )
            continue
        try:
            kind = point.load()
        except UserError as error:
            troubles.append(str(error))
            continue
        line = " ".join((kind.__doc__ or "Without a docstring.").split("\n\n")[0].split())
        origin = f"{point.path}, of the package {point.package}"
        rows.append(Entry(str(point.section), point.name, line, origin))
    return sorted(rows, key=lambda row: row.name.lower()), troubles
