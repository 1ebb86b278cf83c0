"""One to four processes are the same run, for every method: to the order of sums.

In float64, and with batch norm over the batch of all processes: SyncBatchNorm does that on GPUs.
What was found is written as a table into build/distributed, or where LT_TABLES says.
"""

import json
import os
from pathlib import Path

import lt_many
import pytest
import torch
from every_config import NAMES, model_of, small
from lt_runs import checkpoint, finish, results, start

from lt_lightning import methods
from lt_lightning.methods import LongTailModule

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(3600)]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node")
MANY = (2, 3, 4)
# The prototypes are the same on every process, so that its batch norm sees them several times.
SEEN_AGAIN = {"bcl": "prototype_head"}
# PaCo multiplies each rounding by 1e5 an epoch: on one process too, where only the order of the
# memory changes (channels_last false), weights are 3e-8 apart after 2 epochs and 8e-7 after 3.
EPOCHS = {"paco": 1}
_QUEUE = ("--model.queue_size", "1008")  # a multiple of the batch
OWN = {"paco": _QUEUE, "ssp_moco": _QUEUE}
ALIKE = 1e-9  # of weights
BATCH = 24  # of 12 in an epoch; each number of processes divides it
ROOT = Path(__file__).parents[2]
TABLES = Path(os.environ.get("LT_TABLES", ROOT / "build" / "distributed"))


def arguments(config, processes):
    """Return the arguments of 12 steps of each epoch and a validation, on so many processes."""
    own = ("--trainer.precision", "64-true", "--name", config, "--version", "a")
    own = (*own, "--data.batch_size", str(BATCH), "--data.holdout.fraction", "0.1")
    epochs = EPOCHS.get(config, 3)
    own = (*own, *OWN.get(config, ()))
    return small(config, processes, *own, epochs=epochs, teacher="runs/ce/a")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Return the folder of all runs on so many processes."""
    done = {}

    def get(processes):
        if processes not in done:
            folder = tmp_path_factory.mktemp(f"on-{processes}")
            table = [arguments(config, processes) for config in NAMES]
            (folder / "table.json").write_text(json.dumps(table))
            torchrun = (*TORCHRUN, str(processes)) if processes > 1 else ()
            answer = finish(start(["table.json"], folder, (*torchrun, lt_many.__file__)), 3500)
            done[processes] = folder / "runs", answer
        runs, answer = done[processes]
        assert answer.status == 0, answer.err[-3000:]
        return runs

    return get


def test_no_method_is_forgotten():
    tried = {model_of(config)["class_path"].rsplit(".", 1)[-1] for config in NAMES}
    every = {
        name
        for name in methods.__all__
        if isinstance(kind := getattr(methods, name), type) and issubclass(kind, LongTailModule)
    }
    assert every - tried <= {"LongTailModule", "TwoStage", "SelfSupervised"}


@pytest.fixture(scope="module")
def table():
    """Return the cells of the table, which is written at the end."""
    cells = {}
    yield cells
    TABLES.mkdir(parents=True, exist_ok=True)
    head = " | ".join(f"{count} processes" for count in MANY)
    lines = [f"| config | {head} |", f"|---|{'--:|' * len(MANY)}"]
    for config in NAMES:
        told = " | ".join(cells.get((config, count), "differs") for count in MANY)
        lines.append(f"| {config} | {told} |")
    (TABLES / "processes.md").write_text("\n".join([*lines, ""]))


def apart(found, wanted):
    """Return how far two tensors are from each other, in parts of 1 or of the larger one."""
    if not wanted.is_floating_point() or not wanted.numel():
        return 0.0 if torch.equal(found, wanted) else float("inf")
    return float(((found - wanted).abs() / wanted.abs().clamp_min(1)).max())


@pytest.mark.parametrize("config", NAMES)
@pytest.mark.parametrize("processes", MANY)
def test_the_run_is_that_of_one_process(config, processes, ran, table):
    one, several = (ran(count) / config / "a" for count in (1, processes))
    wanted, found = (checkpoint(folder)["state_dict"] for folder in (one, several))
    assert found.keys() == wanted.keys()
    far = {
        name: apart(found[name], value)
        for name, value in wanted.items()
        if not (name.startswith(SEEN_AGAIN.get(config, "nothing")) and name.endswith("_var"))
    }
    furthest = max(far, key=far.__getitem__)
    assert far[furthest] <= ALIKE, furthest
    first, second = (results(folder)["evaluations"]["last"] for folder in (one, several))
    assert second["overall"] == pytest.approx(first["overall"], abs=1e-6)
    assert second["classes"] == first["classes"]
    assert results(several)["hardware"]["processes"] == processes
    table[config, processes] = f"{far[furthest]:.0e}"
