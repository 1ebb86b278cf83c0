"""A run as sweep.json holds it, looked at before it is believed: it lies in that folder."""

from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused
from lt_lightning.runs import folder as run_folder
from lt_lightning.sweep.job import ON_HELD_OUT, RESERVED, Job, is_length


def jobs_of(content: Any, root: Path) -> list[Job]:
    """Return the runs of a record, to be looked at; what is run is always planned anew.

    Args:
        content: what `Job.as_json` wrote of each.
        root: the folder of the sweep.

    Raises:
        ValueError: if one is none that a plan holds.
        LookupError, TypeError, AttributeError: if a part is missing, or of another kind.
    """
    found: dict[str, Job] = {}
    if not isinstance(content, list):
        raise ValueError("its runs are no list")
    for one in content:
        job = _job(one, root)
        if job.id in found or (job.needs is not None and job.needs not in found):
            raise ValueError(f"the run {job.id!r} stands there twice, or before what it needs")
        found[job.id] = job
    return list(found.values())


def _job(content: dict[str, Any], root: Path) -> Job:
    name, version = _text(content["name"]), _text(content["version"])
    needs, change, epochs = content["needs"], content["post_hoc"], content["epochs"]
    try:
        run_folder.check_names(str(root), name, version)
    except Refused as refused:
        raise ValueError(refused.sentence.removesuffix(".")) from refused
    if name in RESERVED:
        raise ValueError(f"a run is called {name}")
    if epochs is not None and not is_length(epochs):
        raise ValueError(f"the epochs of {name} are {str(epochs)[:40]!r}")
    if change is not None and not _text(change).replace(".", "").isidentifier():
        raise ValueError(f"a change of {name} is {change[:40]!r}")
    words, shared = _texts(content["words"]), _texts(content["shared"])
    if change is not None and (words not in ((), ON_HELD_OUT) or shared or needs is None):
        raise ValueError(f"a test of {name} has options or waits for nothing")
    return Job(
        name=name,
        version=version,
        words=words,
        shared=shared,
        needs=None if needs is None else _text(needs),
        epochs=epochs,
        data=_text(content["data"]),
        post_hoc=change,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:40]!r} is no text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{str(value)[:40]!r} is no list of words")
    return tuple(map(_text, value))
