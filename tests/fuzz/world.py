"""Running one hostile case in this process, and what became of it."""

import contextlib
import hashlib
import io
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lt_runs import in_process

LONGEST = 60  # seconds
COLUMNS = (
    "refused in words",
    "ran",
    "no sentence",
    "traceback",
    "hang",
    "overwritten",
    "wrong",
    "canary",
)
FAULTS = COLUMNS[2:]


class Hang(BaseException):
    """A case took too long."""


@dataclass
class Case:
    """One command line and where it runs.

    Attributes:
        kind: the row of the table.
        words: the command line.
        what: what was made hostile, to make it again.
        environment: variables of this case.
        kept: folders in which nothing may change unless the command succeeds.
        right: whether what a command that succeeded has left is all that was asked for.
    """

    kind: str
    words: list[str]
    what: str
    environment: dict[str, str] = field(default_factory=dict)
    kept: tuple[Path, ...] = ()
    right: Callable[[], bool] | None = None


@dataclass
class Table:
    """What became of the cases, by their kind."""

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, case: Case, ends: list[str], told: str) -> None:
        row = self.rows.setdefault(case.kind, Counter())
        row.update(["cases", *ends])
        bad = [end for end in ends if end in FAULTS]
        if bad:
            line = " ".join(case.words)
            self.faults.append(f"{case.kind}: {', '.join(bad)}: {case.what}: lt {line}\n{told}")

    def __str__(self) -> str:
        names = ("cases", *COLUMNS)
        lines = [f"{'kind':14}" + "".join(f"{name:>18}" for name in names)]
        total: Counter[str] = Counter()
        for kind, row in self.rows.items():
            lines.append(f"{kind:14}" + "".join(f"{row[name]:18}" for name in names))
            total.update(row)
        lines.append(f"{'all':14}" + "".join(f"{total[name]:18}" for name in names))
        return "\n".join(lines)


def run(case: Case, canary: Path) -> tuple[list[str], str]:
    """Return what became of a case, and what it said.

    The words of a traceback are its last lines, so that the same fault is found again.
    """
    before = [_content(folder) for folder in case.kept]
    ends, told = _called(case)
    if "ran" not in ends and [_content(folder) for folder in case.kept] != before:
        ends.append("overwritten")
    if "ran" in ends and case.right is not None and not case.right():
        ends.append("wrong")
    if canary.exists():
        ends.append("canary")
        canary.rmdir() if canary.is_dir() else canary.unlink()
    return ends, told


def _called(case: Case) -> tuple[list[str], str]:
    said = io.StringIO()
    old = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")  # the tests make errors of them, the command does not
            answer = in_process(case.words, WANDB_MODE="disabled", **case.environment)
    except Hang:
        return ["hang"], traceback.format_exc()[-1500:]
    except BaseException:
        return ["traceback"], traceback.format_exc()[-1500:]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    if answer.status in (0, 3):  # 3: but for what was left out as asked
        return ["ran"], ""
    lines = [line for line in answer.err.splitlines() if line.strip()]
    if "Traceback" in answer.err:
        return ["traceback"], answer.err[-1500:]
    in_words = bool(lines) and lines[-1].startswith("lt: ") and lines[-1].endswith((".", "?"))
    if not in_words or len(lines[-1]) > 2000 or answer.status not in (1, 2):
        return ["no sentence"], f"{answer.status} {answer.err[-600:]}"
    return ["refused in words"], lines[-1]


def _stop(*_: object) -> None:
    raise Hang


def _content(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }
