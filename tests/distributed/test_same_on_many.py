"""One, two and four processes are the same run, for every method: to the order of sums.

In float64, and with batch norm over the batch of all processes: SyncBatchNorm does that on GPUs.
"""

import json

import lt_many
import pytest
import torch
from every_config import NAMES, model_of, small
from lt_runs import checkpoint, finish, results, start

from lt_lightning import methods
from lt_lightning.methods import LongTailModule

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(1800)]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node")
# On four processes one of each kind of thing that they do together.
FOUR = (
    *("ce", "manifold_mixup", "strong_augmentation", "balanced_group_softmax", "bbn", "bcl"),
    *("causal_tde", "crt", "hybrid_psc", "paco", "ssp_rotation"),
)
# The prototypes are the same on every process, so that its batch norm sees them several times.
SEEN_AGAIN = {"bcl": "prototype_head"}
# PaCo multiplies each rounding by 1e5 an epoch: on one process too, where only the order of the
# memory changes (channels_last false), weights are 3e-8 apart after 2 epochs and 8e-7 after 3.
EPOCHS = {"paco": 1}


def arguments(config, processes):
    """Return the arguments of 10 steps of each epoch, on so many processes."""
    own = ("--trainer.precision", "64-true", "--name", config, "--version", "a")
    epochs = EPOCHS.get(config, 3)
    return small(config, processes, *own, epochs=epochs, teacher="runs/ce/a")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Return the folder of all runs on so many processes."""
    done = {}

    def get(processes):
        if processes not in done:
            folder = tmp_path_factory.mktemp(f"on-{processes}")
            table = [arguments(config, processes) for config in (FOUR if processes > 2 else NAMES)]
            (folder / "table.json").write_text(json.dumps(table))
            torchrun = (*TORCHRUN, str(processes)) if processes > 1 else ()
            answer = finish(start(["table.json"], folder, (*torchrun, lt_many.__file__)), 1500)
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


@pytest.mark.parametrize(
    ("config", "processes"),
    [*((config, 2) for config in NAMES), *((config, 4) for config in FOUR)],
)
def test_the_run_is_that_of_one_process(config, processes, ran):
    one, several = (ran(count) / config / "a" for count in (1, processes))
    wanted, found = (checkpoint(folder)["state_dict"] for folder in (one, several))
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if not (name.startswith(SEEN_AGAIN.get(config, "nothing")) and name.endswith("_var")):
            assert torch.allclose(found[name], value, rtol=1e-9, atol=1e-9), name
    first, second = (results(folder)["evaluations"]["last"] for folder in (one, several))
    assert second["overall"] == pytest.approx(first["overall"], abs=1e-6)
    assert second["classes"] == first["classes"]
    assert results(several)["hardware"]["processes"] == processes
