"""Runs that are killed, stopped and out of disk at random moments end as if left alone.

LT_SOAK_SEED gives other moments, LT_SOAK_RUNS another number of runs.
"""

import os

import disturbed
import pytest
from every_config import NAMES, small
from lt_runs import assert_same_end, rows, run

SEED = int(os.environ.get("LT_SOAK_SEED", "0"))
RUNS = int(os.environ.get("LT_SOAK_RUNS", "60"))
TERMINATED = ("ce", "bbn", "mislas", "paco", "bcl")  # one of each kind of thing done together

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]


def arguments(config, processes, folder):
    """Return a run of 4 epochs which saves every 3 of its steps."""
    own = ("--checkpoint.every_n_steps", "3", "--name", "run", "--version", "a")
    return small(config, processes, *own, epochs=4, teacher=folder / "teacher" / disturbed.RUN)


class Known:
    """Commands that were left alone, each run once."""

    def __init__(self, folder):
        self.folder, self.found = folder, {}

    def __call__(self, config, processes):
        if config == "pseudo_label":
            self.teacher()
        if (config, processes) not in self.found:
            folder = self.folder / f"{config}-{processes}"
            folder.mkdir()
            given = arguments(config, processes, self.folder)
            self.found[config, processes] = disturbed.whole(given, folder)
        return self.found[config, processes]

    def teacher(self):
        folder = self.folder / "teacher"
        if not folder.is_dir():
            folder.mkdir()
            answer = run(arguments("ce", 1, folder), folder)
            assert answer.status == 0, answer.err


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return Known(tmp_path_factory.mktemp("known"))


def hit(known, folder, config, processes, hits, chance):
    """Return what became of a run, and whether it ended as one left alone."""
    folder.mkdir()
    alone = known(config, processes)
    found = disturbed.disturb(
        arguments(config, processes, known.folder), folder, alone, hits, chance
    )
    wrong = found.wrong
    if not wrong:
        try:
            assert_same_end(found.folder, alone.folder)
            assert rows(found.folder) == rows(alone.folder)
        except (AssertionError, OSError) as error:
            wrong = f"another end: {str(error)[:200]}"
    return found.hits, wrong


def table(file, lines):
    head = [
        "| run | config | processes | what was done at which step | end |",
        "|--:|---|--:|---|---|",
    ]
    file.write_text("\n".join([*head, *lines, ""]))


def tried(known, tmp_path, file, plan):
    """Run a plan of (config, processes, hits, chance); return what went wrong."""
    lines, faults = [], []
    for number, (config, processes, hits, chance) in enumerate(plan):
        folder = tmp_path / str(number)
        done, wrong = hit(known, folder, config, processes, hits, chance)
        if wrong:
            faults.append(f"{number} {config} on {processes}, {', '.join(done)}: {wrong}")
        else:
            disturbed.clear(folder)
        end = "**differs**" if wrong else "equal"
        lines.append(f"| {number} | {config} | {processes} | {', '.join(done)} | {end} |")
        table(file, lines)
    return faults


def test_runs_that_are_hit_one_to_five_times(known, tmp_path, tables):
    plan = []
    for number in range(RUNS):
        chance = disturbed.chances(SEED, number)
        config = NAMES[number % len(NAMES)]
        processes = 1 + (number // len(NAMES) + number) % 2
        hits = [chance.choice(disturbed.KINDS) for _ in range(chance.randint(1, 5))]
        plan.append((config, processes, hits, chance))
    faults = tried(known, tmp_path, tables / f"soak-{SEED}.md", plan)
    assert not faults, "\n".join(faults)


def test_fifty_sigterms_to_two_processes(known, tmp_path, tables):
    plan = [
        (TERMINATED[number % len(TERMINATED)], 2, ["TERM"], disturbed.chances(SEED, f"T{number}"))
        for number in range(min(RUNS, 50))
    ]
    faults = tried(known, tmp_path, tables / f"sigterm-{SEED}.md", plan)
    assert not faults, "\n".join(faults)
