"""Hostile cases: each ends in one sentence or in a run, and changes nothing that was there.

`make fuzz` runs them all; FUZZ_SEED=7 draws others, FUZZ_SHARE=0.1 a tenth of them.
"""

import os
import shutil

import pytest

SHARES = {
    "class path": 350,
    "checkpoint": 300,
    "config": 250,
    "option": 250,
    "results": 250,
    "text": 150,
    "environment": 50,
    "table": 90,
    "list": 60,
    "predict": 60,
    "data check": 70,
    "export": 30,
    "sweep": 70,
    "record": 90,
}
# Those that are answered before torch works.
FEW = {"results": 62, "text": 20, "class path": 2, "table": 12, "data check": 6}


def table_of(maker, shares):
    from world import Table, run

    table = Table()
    for kind, count in shares.items():
        for _ in range(count):
            case = maker.make(kind)
            table.add(case, *run(case, maker.canary))
            shutil.rmtree(maker.root / str(maker.number), ignore_errors=True)
    return table


def told(table, seed):
    faults = "\n\n".join(table.faults)
    return f"seed {seed}\n{table}\n\n{len(table.faults)} faults\n{faults}"


def test_a_hundred_hostile_cases(maker):
    table = table_of(maker, FEW)
    assert not table.faults, told(table, 0)


@pytest.mark.fuzz
def test_all_hostile_cases(maker, capsys):
    share = float(os.environ.get("FUZZ_SHARE", "1"))
    table = table_of(maker, {kind: round(count * share) for kind, count in SHARES.items()})
    with capsys.disabled():
        print(f"\n{told(table, os.environ.get('FUZZ_SEED', '0'))}")
    assert not table.faults
