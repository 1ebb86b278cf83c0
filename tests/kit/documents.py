"""What the documents tell people to type: fenced blocks, and commands in the heads of configs."""

import glob
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "results" / "README.md",
    ]
)
CONFIGS = sorted([*(ROOT / "configs").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")])
_FENCE = re.compile(r"^( *)```(.*?)\n(.*?)^\1```$", flags=re.MULTILINE | re.DOTALL)
_REASON = re.compile(r'title="not run by the tests: ([^"]+)"')
_INCLUDED = re.compile(r'^--8<-- "([^"]+)"$', flags=re.MULTILINE)
_ASSIGNED = re.compile(r'^([A-Z]+)="(.*)"$', flags=re.MULTILINE)
_OPTION = re.compile(r"(?:^|\s)(--[a-z].*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block; `reason` says why it is not run, and is empty where it is."""

    file: Path
    line: int
    language: str
    reason: str
    text: str

    @property
    def name(self):
        return f"{self.file.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One line of a shell block, or of the head of a config."""

    where: str
    words: tuple[str, ...]

    @property
    def name(self):
        return f"{self.where} {' '.join(self.words)[:80]}"


def blocks_of(file):
    """Return the blocks of a document; a file that a block includes stands in it."""
    text = file.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        info, line = match[2].strip(), text[: match.start()].count("\n") + 1
        reason = _REASON.search(info)
        body = _INCLUDED.sub(lambda name: (ROOT / name[1]).read_text("utf-8"), match[3])
        language = (info.split() or [""])[0]
        found.append(Block(file, line, language, reason[1] if reason else "", body))
    return found


def blocks():
    """Return all blocks of all documents."""
    return [block for file in DOCUMENTS for block in blocks_of(file)]


def commands_of(block):
    """Return the commands of a shell block, without comments, patterns of files resolved."""
    joined = block.text.replace("\\\n", " ")
    for name, value in _ASSIGNED.findall(block.file.read_text("utf-8")):
        joined = _ASSIGNED.sub("", joined).replace(f"${name}", value)
    lines = [shlex.split(line, comments=True) for line in joined.splitlines()]
    return [Command(block.name, tuple(_resolved(line))) for line in lines if line]


def _resolved(words):
    for word in words:
        found = sorted(glob.glob(word, root_dir=ROOT)) if "*" in word else []
        yield from found or [word]


def document_commands(program):
    """Return what the documents call `program` with, where it can run."""
    shell = [block for block in blocks() if block.language == "bash" and not block.reason]
    found = [command for block in shell for command in commands_of(block)]
    return [command for command in found if command.words[0] == program]


def header_commands():
    """Return a command of `lt` for each one, and for each group of options, in a config's head."""
    found = []
    for file in CONFIGS:
        where = str(file.relative_to(ROOT))
        for text in _header_texts(file):
            command, options = re.search(r"\blt [a-z]+ .*", text), _OPTION.search(text)
            if command:
                words = re.split(r"`", command[0])[0]
                found.append(Command(where, tuple(shlex.split(words))))
            elif options:
                words = shlex.split(re.split(r"[`)]|, by which|, started by", options[1])[0])
                found.append(Command(where, ("lt", "fit", *_with_file(where, words))))
    return found


def _with_file(where, words):
    """Return the options after the config in whose head they stand, if they name none."""
    if "--config" in words:
        return words
    inner = where.count("/") > 1 and where.startswith("configs/")
    return [*(("--config", "configs/ce.yaml") if inner else ()), "--config", where, *words]


def _header_texts(file):
    """Return the comment lines at the top, those that continue a command joined to it."""
    texts = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line[1:].rstrip()
        if text.startswith("   --") and texts:
            texts[-1] += f" {text.strip()}"
        else:
            texts.append(text.strip())
    return texts
