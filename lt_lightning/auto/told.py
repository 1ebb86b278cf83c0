"""What a course says on the terminal."""

import math
from collections.abc import Iterator
from pathlib import Path

from lt_lightning import shell
from lt_lightning.auto.choice import Choice
from lt_lightning.auto.kept import DONE
from lt_lightning.auto.record import Record, StepRecord
from lt_lightning.auto.steps import STEPS, Step

_WIDTH = max(len(step.title) for step in STEPS)
_NAMED = 5  # classes without a held-out image that are named
_TITLES = {step.name: step.title for step in STEPS}


def minutes(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def duration(seconds: float) -> str:
    """Return a time of a second to a year as DD:HH:MM:SS."""
    whole = int(min(max(seconds, 1), 365 * 86400))
    return f"{whole // 86400:02}:{whole // 3600 % 24:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def rounded_up(seconds: float) -> str:
    """Return minutes to give on the command line, a tenth more than needed."""
    return f"{math.ceil(1.1 * seconds / 6) / 10:g}"


def plan(epochs: int, seconds: float) -> str:
    """Return what the baseline will take."""
    return f"{epochs} epochs of the baseline, about {minutes(seconds)}"


def line(step: Step, known: StepRecord) -> str:
    """Return what came of a step."""
    if known.status != DONE:
        return f"{step.title:<{_WIDTH}}  {known.status}: {known.why}"
    return f"{step.title:<{_WIDTH}}  {_percent(known)}  {known.seconds / 60:6.1f} min"


def end(record: Record, choice: Choice, chosen: Path, page: Path, spent: float) -> Iterator[str]:
    """Yield the table, the choice, its test, and what to do next."""
    yield ""
    yield from _table(record, choice)
    yield from _choice(record, choice)
    yield from _test(record)
    yield f"{minutes(spent)} of {record.minutes:g} in all. Figures and all numbers: {page}"
    yield "Next:"
    yield f"  lt predict {shell.word(chosen)} --images DIR --out predictions.csv"
    yield f"  lt export {shell.word(chosen)} --format onnx --out DIR"


def _table(record: Record, choice: Choice) -> Iterator[str]:
    heading = (
        f"{'step':<{_WIDTH}}  {'macro %, held out':>17}  {'behind the best':>15}  {'minutes':>7}"
    )
    yield heading
    yield "-" * len(heading)
    for step in STEPS:
        known = record.steps.get(step.name)
        if known is None or known.status != DONE:
            yield f"{step.title:<{_WIDTH}}  {'-' if known is None else known.status:>17}"
            continue
        behind = choice.behind[step.name]
        apart = f"{100 * behind.mean:.1f} +- {100 * behind.sd:.1f}"
        apart = "best" if step.name == choice.best else apart
        yield (
            f"{step.title:<{_WIDTH}}  {_percent(known):>17}  {apart:>15}  {known.seconds / 60:7.1f}"
        )


def _percent(known: StepRecord) -> str:
    return f"{100 * (known.macro or 0.0):5.1f} +- {100 * (known.sd or 0.0):4.1f}"


def _choice(record: Record, choice: Choice) -> Iterator[str]:
    images, seen = len(record.labels), set(record.labels)
    yield (
        f"+- is one standard deviation over the {images} held-out images of {len(seen)} classes, "
        "class by class; behind the best is paired image by image."
    )
    absent = [name for k, name in enumerate(record.class_names) if k not in seen]
    if absent:
        named = ", ".join(absent[:_NAMED]) + (", ..." if len(absent) > _NAMED else "")
        yield (
            f"{len(absent)} of {len(record.class_names)} classes have no held-out image ({named}): "
            "the choice says nothing of them."
        )
    title, others = _TITLES[choice.name], [n for n in choice.tied if n != choice.name]
    why = "the best by more than its uncertainty"
    if others:
        why = f"the simplest of {len(choice.tied)} that are not told apart"
    yield f"Chosen: {title}, {why}."


def _test(record: Record) -> Iterator[str]:
    found = record.chosen or {}
    scaled = found.get("fitted", {}).get("temperature")
    told = "" if scaled is None else f", calibrated (temperature {scaled:.3g})"
    numbers = {"macro": "acc_macro", "all": "acc", "ECE": "ece"}
    cells = [
        f"{n} {100 * found[key]:.1f} %" for n, key in numbers.items() if found[key] is not None
    ]
    images = f"{found['images']:,} images"
    yield f"On the test split ({images}), looked at once{told}: {', '.join(cells)}."
