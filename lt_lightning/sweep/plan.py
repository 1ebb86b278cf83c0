"""From groups of rows to runs, in the order in which they are done."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused
from lt_lightning.runs import argv
from lt_lightning.runs import folder as run_folder
from lt_lightning.sweep.begun import (
    NO_PRETRAINING,
    TAKEN_OVER,
    as_begun,
    is_same,
    length_of,
    provider,
)
from lt_lightning.sweep.clashes import check, may_set_ratio
from lt_lightning.sweep.job import GROUP, ON_HELD_OUT, RESERVED, Job, check_log, place
from lt_lightning.sweep.sharing import Trained, trained
from lt_lightning.sweep.spec import Group, Row
from lt_lightning.sweep.weights import are_gone

Parse = Callable[[list[str]], Mapping[str, Any]]
Begun = Callable[[Job, Mapping[str, Any]], tuple[str, ...] | None]
_Providers = dict[tuple[str, ...], tuple[Job, str]]  # a run, and which checkpoint others take over


def plan(groups: Sequence[Group], root: Path, parse: Parse, begun: Begun) -> list[Job]:
    """Return the runs: group by group, then seed by seed, each with all data, ratios and rows.

    A first stage, or a pre-training, that two of them have alike is trained by the first of them;
    the others take it over. Where a row trains nothing but that first stage, it comes first. A run
    that has begun stays as it began, also where another would train its first stage now. Of one
    that is finished, and whose checkpoints were deleted, nobody takes over anything.

    Args:
        groups: of rows.
        root: the folder of the sweep, where the runs will lie.
        parse: returns the full config of the words after `lt fit`.
        begun: returns by which words the run of a job takes over what others have trained, given
            the full config too; none where it has not begun, and an error where it is another run.

    Raises:
        Refused: if a row is none that `lt fit` would take, or a name would stand for two runs.
    """
    jobs: dict[str, Job] = {}
    asked: dict[str, Trained] = {}
    providers: _Providers = {}
    parsed: dict[tuple[str, ...], Trained] = {}
    one = next((group.ratios[0] for group in groups if group.ratios), "")
    for group in groups:
        for seed, data in itertools.product(group.seeds, group.data or ("",)):
            looked = one if group.ratios else ""  # what is trained is alike at every ratio
            known = {row: _trained(row, data, looked, parse, parsed) for row in group.rows}
            for row, ratio in itertools.product(filter(may_set_ratio, group.rows), group.ratios):
                _trained(row, data, ratio, parse, parsed)  # to be refused at any of them
            rows = sorted(group.rows, key=lambda row: known[row].staged)  # stable: one stage first
            for ratio, row in itertools.product(group.ratios or ("",), rows):
                job = _job(row, data, ratio, seed, root, known[row])
                if job.id in jobs:
                    job = _same(jobs[job.id], asked[job.id], job, known[row])
                else:
                    asked[job.id] = known[row]
                    job = _placed(job, known[row], jobs, providers, root, begun)
                for one_of in (job, *_tests(row, job, known[row])):
                    check_log(one_of)
                    jobs.setdefault(one_of.id, one_of)
    return list(jobs.values())


def _same(before: Job, asked: Trained, job: Job, what: Trained) -> Job:
    """Return the run that another group has asked for, in other words perhaps, and may test more.

    Raises:
        Refused: if it is another one.
    """
    if before.words == job.words or is_same(asked.config, what.config):
        return before
    raise Refused(
        f"Two runs are called {job.id} but have other options or data: give one of their rows "
        "another `name`, or one of their files."
    )


def _placed(
    job: Job,
    what: Trained,
    jobs: Mapping[str, Job],
    providers: _Providers,
    root: Path,
    begun: Begun,
) -> Job:
    """Return a run with what it takes over, and take note of what others may take over from it."""
    where = (job.data, job.version)
    words = begun(job, what.config)
    if words is None:
        job = _sharing(job, what, where, providers, root)
    else:
        job = _as_begun(job, words, root, jobs)
    _provide(job, what, where, providers, root)
    return job


def _trained(
    row: Row, data: str, ratio: str, parse: Parse, parsed: dict[tuple[str, ...], Trained]
) -> Trained:
    """Return what a row trains on some data; what is asked for alike is looked into once."""
    words = _words(row, data, ratio, 0)
    if tuple(words) not in parsed:
        argv.check(words)
        config = parse(words)
        check(row, ratio, config)
        parsed[tuple(words)] = trained(config)
    return parsed[tuple(words)]


def _words(row: Row, data: str, ratio: str, seed: int) -> list[str]:
    method, *over = row.configs
    files = [method, *([data] if data else []), *over]
    words = [word for file in files for word in ("--config", file)]
    if ratio:
        words.append(f"--data.profile.imbalance_ratio={ratio}")
    words += [f"--{key}={value}" for key, value in row.options]
    return [*words, f"--seed_everything={seed}"]


def _job(row: Row, data: str, ratio: str, seed: int, root: Path, what: Trained) -> Job:
    told = "-".join(part for part in (Path(data).stem if data else "", ratio) if part)
    name = "-".join(part for part in (row.name, told) if part)
    version = f"seed{seed}"
    run_folder.check_names(str(root), name, version)
    if name in RESERVED:
        raise Refused(
            f"A run is called {name}, as a part of the sweep is: give its row another `name`, in a "
            "sweep file."
        )
    group = [f"--{GROUP}={root.name}"] if what.grouped else []
    words = [*_words(row, data, ratio, seed), *group, *place(root, name, version)]
    return Job(
        name,
        version,
        tuple(words),
        epochs=what.epochs,
        data=told,
        of=what.costs(ratio),
        short=what.short,
    )


def _sharing(
    job: Job,
    what: Trained,
    where: tuple[str, ...],
    providers: _Providers,
    root: Path,
) -> Job:
    """Return the job, which takes over what an earlier one trains alike, if one does."""
    stage1 = providers.get((*where, what.stage1 or ""))
    if stage1 is not None and what.staged:
        return _after(job, *stage1, what, root)
    before = providers.get((*where, what.pretraining or ""))
    if before is not None:
        first, folder = before
        taken = f"--model.backbone_init={first.folder(root) / folder}"
        return replace(job, shared=(*NO_PRETRAINING, taken), needs=first.id)
    return job


def _as_begun(job: Job, words: tuple[str, ...], root: Path, jobs: Mapping[str, Job]) -> Job:
    """Return the job as its run began; what that waited for, where it is no part of the plan."""
    first = provider(words, root)
    needs = first if first in jobs else None
    job = as_begun(job, root)
    return replace(job, shared=words, needs=needs, epochs=length_of(job, words))


def _provide(
    job: Job, what: Trained, where: tuple[str, ...], providers: _Providers, root: Path
) -> None:
    """Take note of what later jobs may take over from this one: what it trains itself, and has."""
    folder, checkpoint = job.folder(root), "stage1" if what.staged else "last"
    if any(word.startswith(TAKEN_OVER[0]) for word in job.shared):
        return
    pretrain = run_folder.PRETRAIN
    if what.pretraining and not job.shared and not are_gone(folder, pretrain, "last"):
        providers.setdefault((*where, what.pretraining), (job, pretrain))
    if what.stage1 and not are_gone(folder, "", checkpoint):
        providers.setdefault((*where, what.stage1), (job, checkpoint))


def _after(job: Job, first: Job, checkpoint: str, what: Trained, root: Path) -> Job:
    """Return a second stage on the first of another run."""
    taken = first.folder(root) / "checkpoints" / f"{checkpoint}.ckpt"
    words = (f"--model.stage1_ckpt={taken}", f"--trainer.max_epochs={what.second}")
    return replace(job, shared=words, needs=first.id, epochs=what.second)


def _tests(row: Row, job: Job, what: Trained) -> list[Job]:
    """Return the tests of a finished run under changes that cost nothing, on what it is tested on.

    `lt test` takes the test split by itself, which a row on held-out images leaves alone.
    """
    words = ON_HELD_OUT if what.config.get("test_on") == "held_out" else ()
    return [
        replace(job, words=words, shared=(), needs=job.id, epochs=None, post_hoc=change)
        for change in row.post_hoc
    ]
