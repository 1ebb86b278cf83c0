"""Runs that are killed, stopped and out of disk at random moments end as if left alone.

LT_SOAK_SEED gives other moments, LT_SOAK_RUNS another number of runs.
"""

import os

import disturbed
import pytest
import yaml
from lt_runs import CONFIGS, assert_same_end, rows, run

SEED = int(os.environ.get("LT_SOAK_SEED", "0"))
RUNS = int(os.environ.get("LT_SOAK_RUNS", "60"))
CONFIG_NAMES = (
    *("ce", "ldam_drw", "cb_focal", "influence_balanced", "balanced_group_softmax", "equalization"),
    *("ala", "mixup", "cutmix", "remix", "manifold_mixup", "strong_augmentation", "bbn", "bcl"),
    *("causal_tde", "classifier_bound", "cmo", "crt", "lws", "tau_norm", "ncm", "dis_align"),
    *("mislas", "label_aware_smoothing", "hybrid_psc", "hybrid_sc", "paco", "pseudo_label"),
    *("ssp_moco", "ssp_rotation"),
)
OWN_AUGMENTATION = ("strong_augmentation",)
TERMINATED = ("ce", "bbn", "mislas", "paco", "bcl")  # one of each kind of thing done together

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]


def arguments(config, processes, folder):
    """Return a run of 4 epochs with 10 steps each, which saves every 3 steps."""
    found = [
        *("fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml"), "--trainer.accelerator", "cpu"),
        *("--trainer.devices", str(processes), "--checkpoint.every_n_steps", "3"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.batch_size", "32", "--data.drop_last", "true"),
        *("--name", "run", "--version", "a", "--seed_everything", "0"),
    ]
    if processes > 1:
        found += ["--trainer.strategy", "ddp"]
    if config not in OWN_AUGMENTATION:
        found += ["--data.augment", "RandomCropFlip", "--data.augment.padding", "1"]
    options = yaml.safe_load((CONFIGS / f"{config}.yaml").read_text())["model"]["init_args"]
    if "stage1_epochs" in options:
        found += ["--model.stage1_epochs", "2", "--model.stage2_epochs", "2"]
    else:
        found += ["--trainer.max_epochs", "4"]
    if config == "pseudo_label":
        found += ["--model.teacher", str(folder / "teacher" / disturbed.RUN)]
    return found


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
        config = CONFIG_NAMES[number % len(CONFIG_NAMES)]
        processes = 1 + (number // len(CONFIG_NAMES) + number) % 2
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
