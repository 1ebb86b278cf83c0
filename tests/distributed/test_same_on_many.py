"""One, two and four processes are the same run, for every method: to the order of sums.

In float64, and with batch norm over the batch of all processes: SyncBatchNorm does that on GPUs.
"""

import json

import lt_many
import pytest
import torch
import yaml
from lt_runs import CONFIGS, checkpoint, finish, results, start

from lt_lightning import methods
from lt_lightning.methods import LongTailModule

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(1800)]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node")
TABLE = (
    *("ce", "ldam_drw", "cb_focal", "influence_balanced", "balanced_group_softmax", "equalization"),
    *("ala", "mixup", "cutmix", "remix", "manifold_mixup", "strong_augmentation", "rand_augment"),
    *(
        "sampler_class_balanced",
        "bbn",
        "bcl",
        "causal_tde",
        "classifier_bound",
        "cmo",
        "crt",
        "lws",
    ),
    *("tau_norm", "ncm", "dis_align", "mislas", "label_aware_smoothing", "hybrid_psc"),
    *("hybrid_sc", "paco", "pseudo_label", "ssp_moco", "ssp_rotation", "ssp_simsiam"),
)
# On four processes one of each kind of thing that they do together.
FOUR = (
    *("ce", "manifold_mixup", "strong_augmentation", "balanced_group_softmax", "bbn", "bcl"),
    *("causal_tde", "crt", "hybrid_psc", "paco", "ssp_rotation"),
)
AUGMENTED = ("strong_augmentation", "rand_augment")  # by their own files
# The prototypes are the same on every process, so that its batch norm sees them several times.
SEEN_AGAIN = {"bcl": "prototype_head"}
# PaCo multiplies each rounding by 1e5 an epoch: on one process too, where only the order of the
# memory changes (channels_last false), weights are 3e-8 apart after 2 epochs and 8e-7 after 3.
EPOCHS = {"paco": 1}


def content(config):
    return yaml.safe_load((CONFIGS / f"{config}.yaml").read_text())["model"]


def arguments(config, processes):
    """Return the arguments of 10 steps of each epoch, on so many processes."""
    found = [
        *("fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml"), "--trainer.accelerator", "cpu"),
        *("--trainer.devices", str(processes), "--trainer.precision", "64-true"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.batch_size", "32", "--data.drop_last", "true"),
        *("--name", config, "--version", "a", "--seed_everything", "0"),
    ]
    if processes > 1:
        found += ["--trainer.strategy", "ddp"]
    if config not in AUGMENTED:
        found += ["--data.augment", "RandomCropFlip", "--data.augment.padding", "1"]
    if "stage1_epochs" in content(config)["init_args"]:
        found += ["--model.stage1_epochs", "1", "--model.stage2_epochs", "1"]
    else:
        found += ["--trainer.max_epochs", str(EPOCHS.get(config, 3))]
    if config == "pseudo_label":
        found += ["--model.teacher", "runs/ce/a"]
    return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Return the folder of all runs on so many processes."""
    done = {}

    def get(processes):
        if processes not in done:
            folder = tmp_path_factory.mktemp(f"on-{processes}")
            table = [arguments(config, processes) for config in (FOUR if processes > 2 else TABLE)]
            (folder / "table.json").write_text(json.dumps(table))
            torchrun = (*TORCHRUN, str(processes)) if processes > 1 else ()
            answer = finish(start(["table.json"], folder, (*torchrun, lt_many.__file__)), 1500)
            done[processes] = folder / "runs", answer
        runs, answer = done[processes]
        assert answer.status == 0, answer.err[-3000:]
        return runs

    return get


def test_no_method_is_forgotten():
    tried = {content(config)["class_path"].rsplit(".", 1)[-1] for config in TABLE}
    every = {
        name
        for name in methods.__all__
        if isinstance(kind := getattr(methods, name), type) and issubclass(kind, LongTailModule)
    }
    assert every - tried <= {"LongTailModule", "TwoStage", "SelfSupervised"}


@pytest.mark.parametrize(
    ("config", "processes"),
    [*((config, 2) for config in TABLE), *((config, 4) for config in FOUR)],
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
