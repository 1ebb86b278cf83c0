"""The pages that are made at build: one per config, tables of all methods, lists of classes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from manual import equations, measured, published, written
from manual.runs import folders
from manual.source import ROOT, SECTIONS, Public, by_name, public
from manual.written import CONFIGS

# Files of the repository that are pages as they are.
WHOLE = {
    "results.md": "results/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}
# What nearly every config has, and what a page needs no word on.
_USUAL = {"ERM", "LinearHead", "CrossEntropy", "InstanceBalanced", "ResNetCIFAR"}


def page_names() -> list[str]:
    """Return the paths of all pages that are made, below docs/."""
    methods = [f"methods/{path.stem}.md" for path in CONFIGS]
    sections = [f"api/{name}.md" for name in SECTIONS if public(name)]
    return [*methods, "methods/index.md", *sections, *WHOLE]


def pages() -> dict[str, str]:
    """Return the text of each page by its path."""
    return {name: page(name) for name in page_names()}


def page(name: str) -> str:
    """Return the text of one page."""
    if name in WHOLE:
        return _with_links((ROOT / WHOLE[name]).read_text("utf-8"), WHOLE[name])
    if name == "methods/index.md":
        return index_page()
    folder, stem = name.removesuffix(".md").split("/")
    return api_page(stem) if folder == "api" else method_page(ROOT / "configs" / f"{stem}.yaml")


def _with_links(text: str, source: str) -> str:
    """Point the links of a file of the repository at the pages that they have become."""
    for made, other in WHOLE.items():
        near = Path(other).name if Path(other).parent == Path(source).parent else other
        text = text.replace(f"]({near}", f"]({made}")
    return text.replace("](docs/", "](").replace("](../docs/", "](")


def head(path: Path) -> list[str]:
    """Return the comment lines at the top of a config, without their sign."""
    lines = path.read_text("utf-8").splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return [line.removeprefix("#").rstrip() for line in lines[:end]]


def _body(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def _class_paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("class_path"), str):
            yield value["class_path"].rsplit(".", 1)[-1]
        for inner in value.values():
            yield from _class_paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _class_paths(inner)


def parts(content: dict[str, Any]) -> list[Public]:
    """Return the classes that make a config what it is."""
    names = list(dict.fromkeys(_class_paths(content)))
    known = [by_name()[name] for name in names if name in by_name()]
    known = [one for one in known if one.paper and one.section != "data"]
    unusual = [one for one in known if one.name not in _USUAL]
    options = content["model"]["init_args"]
    if "deferred_weights" in options or "deferred_loss" in options:
        unusual.insert(0, by_name()["ERM"])
    return unusual or [one for one in known if one.name in ("ERM", "CrossEntropy")]


def method_page(path: Path) -> str:
    """Return the page of one config."""
    text = path.read_text("utf-8")
    content = yaml.safe_load(text)
    first, *notes = head(path)
    command = f"lt fit --config configs/{path.name}"
    return "\n\n".join(
        [
            f"# {path.stem}",
            equations.inline(first),
            *_notes(notes),
            "## How a batch flows",
            _flow(content),
            "## What it computes",
            *(_part(one) for one in parts(content)),
            "## Run it",
            *_commands(command, content),
            "## Config",
            f"```yaml\n{_body(path)}\n```",
            "## Measured, and its cost",
            _measured(path.stem, text),
            "## Published",
            _published(path.stem, text),
        ]
    )


def _commands(command: str, content: dict[str, Any]) -> list[str]:
    if content["data"]["source"]["class_path"] == "ImageFolder":
        return [f"```bash\n{command} --data.root DIR\n```", "It trains on a folder of pictures."]
    return [
        f"```bash\n{command}\n{command} --config configs/data/digits.yaml\n```",
        "The first line trains as published, on CIFAR-10-LT; the second on digits.",
    ]


def _notes(lines: list[str]) -> Iterator[str]:
    """Yield the notes of a head as a list; lines that go on from the one above are joined to it."""
    joined: list[str] = []
    for line in lines:
        text = line.strip()
        if text.startswith("Measured here:"):
            continue
        goes_on = line.startswith("   ") or not text[:1].isupper()
        if joined and goes_on and not text.startswith("lt "):
            joined[-1] += f" {text}"
        else:
            joined.append(text)
    yield "\n".join(f"- {_with_code(text)}" for text in joined)


def _with_code(text: str) -> str:
    """Show the options at the end of a note as code."""
    place = text.find(" lt ") if " lt " in text else text.find(" --")
    if place < 0 or "`" in text:
        return text.replace("_", "\\_") if "`" not in text else text
    return f"{text[:place].replace('_', chr(92) + '_')} `{text[place:].strip()}`"


def _part(one: Public) -> str:
    link = f"[`{one.name}`](../api/{one.section}.md#lt_lightning.{one.section}.{one.name})"
    shown = [f"### {one.name}", f"{equations.inline(one.line)} Arguments: {link}."]
    shown += [equations.block(text) for text in one.body]
    return "\n\n".join([*shown, f"*Paper: {equations.inline(one.paper)}*"])


def _flow(content: dict[str, Any]) -> str:
    """Return the way of a batch, from the images to the loss, one line per stream."""
    data, model = content["data"], content["model"]["init_args"]
    ratio = data["profile"].get("init_args", {}).get("imbalance_ratio")
    images = f"{_name(data['source'])}{f'<br>ratio {ratio}' if ratio else ''}"
    streams = data.get("samplers") or {"": data.get("sampler", {"class_path": "InstanceBalanced"})}
    stage = next(iter(streams)).startswith("stage")
    end = [_name(model["backbone"]) if "backbone" in model else "backbone"]
    lines = []
    for stream, sampler in streams.items():
        boxes = [images, f"{f'<b>{stream}</b>' if stream else ''}{_name(sampler)}"]
        boxes.append("augment")
        second = stage and stream == "stage2"
        if "mixing" in model and not second:
            boxes.append(_name(model["mixing"]))
        boxes += end
        head_ = model.get("classifier") if second else model.get("head")
        loss = model.get("stage2_loss") if second else model.get("loss")
        boxes += [_name(one) for one in (head_, loss) if one]
        if second is False and "feature_loss" in model and stream == "features":
            boxes[-2:] = ["projection", _name(model["feature_loss"])]
        lines.append("".join(f"<span>{box}</span>" for box in boxes))
    shown = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div class="flow">{shown}</div>'


def _name(part: Any) -> str:
    return str(part["class_path"]).rsplit(".", 1)[-1] if isinstance(part, dict) else str(part)


def _measured(stem: str, text: str) -> str:
    found = measured.of_config(stem, written.post_hoc(text))
    if not found:
        return "Not measured yet: a row of another method says nothing of this one."
    parts = [
        "Last epoch; accuracies and ECE in %, over several seeds mean ± standard deviation; "
        "minutes of one CPU core, after a plus of a second stage alone. "
        "Hardware and more: [results](../results.md)."
    ]
    for folder, lines in found:
        parts += [f"**{folder.images}** ({folder.recipe}):", measured.table(measured.USUAL, lines)]
    commands = dict.fromkeys(
        " ".join(run["command"]) for _, lines in found for cells in lines for run in cells.row.runs
    )
    shown = "\n".join(commands)
    return "\n\n".join([*parts, f"These commands made them:\n\n```text\n{shown}\n```"])


def _published(stem: str, text: str) -> str:
    rows = list(published.of_config(stem, written.post_hoc(text)))
    if not rows:
        return "No number of this method on these data is known to us."
    lines = [
        "| method | data | ratio | top-1 % | source | made with |",
        "|---|---|---:|---:|---|---|",
    ]
    for row in rows:
        cells = (row.method, row.data, row.ratio, row.value, row.source, row.made)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def index_page() -> str:
    """Return the table of all configs, and that of all classes."""
    pixels = list(
        dict.fromkeys(one.pixels for one in folders().values() if one.data == "CIFAR-10-LT")
    )
    heads = " | ".join(f"ours %, {name}" for name in pixels)
    lines = [
        f"| config | {heads} | published % | what it is |",
        f"|---|{'---:|' * (len(pixels) + 1)}---|",
    ]
    for path in CONFIGS:
        change = written.post_hoc(path.read_text("utf-8"))
        ours = [_span(measured.on_cifar10(path.stem, change, name)) for name in pixels]
        theirs = [
            f"{row.value}"
            for row in published.of_config(path.stem)
            if (row.data, row.ratio) == ("CIFAR-10-LT", 100)
        ]
        link = f"[{path.stem}]({path.name.replace('.yaml', '.md')})"
        cells = [link, *ours, *(theirs[:1] or [""]), equations.inline(head(path)[0])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n\n".join(
        [
            "# All methods",
            "A page per config: `lt fit --config configs/NAME.yaml`. On CIFAR-10-LT at ratio 100: "
            "ours is the macro accuracy of the last epoch of short runs (the worst and the best "
            "row of a method, each the mean of its seeds), the last column the first published "
            "value, after 200 epochs or more, most of them the best epoch on the test split. "
            "Compare down a column, not across.",
            "\n".join(lines),
            "## All classes",
            "`lt methods` prints this list in a terminal.",
            *_class_tables(),
        ]
    )


def _span(values: list[float]) -> str:
    found = [f"{value:.1f}" for value in sorted(values)]
    return " to ".join(dict.fromkeys([found[0], found[-1]])) if found else ""


def _class_tables() -> Iterator[str]:
    for section, title in SECTIONS.items():
        known = [one for one in public(section) if one.paper]
        if not known:
            continue
        yield f"### {title}"
        lines = ["| name | what it is | paper |", "|---|---|---|"]
        for one in known:
            link = f"[`{one.name}`](../api/{section}.md#lt_lightning.{section}.{one.name})"
            lines.append(f"| {link} | {equations.inline(one.line)} | {one.paper} |")
        yield "\n".join(lines)


def api_page(section: str) -> str:
    """Return the page of a package: each class from its docstring."""
    names = "\n\n".join(f"::: lt_lightning.{section}.{one.name}" for one in public(section))
    return f"# {SECTIONS[section]}\n\n`from lt_lightning.{section} import ...`\n\n{names}\n"
