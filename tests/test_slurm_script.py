"""slurm/fit.sbatch: what it asks SLURM for, and the command that it runs."""

import itertools
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from lt_runs import in_process

from lt_lightning.runs import tasks

SCRIPT = Path(__file__).parents[1] / "slurm" / "fit.sbatch"
# The long options of sbatch that the script uses, with the form of their values.
OPTIONS = {
    "job-name": r"\w+",
    "array": r"\d+(-\d+)?(%\d+)?",
    "nodes": r"\d+",
    "ntasks-per-node": r"\d+",
    "gpus-per-node": r"\d+",
    "cpus-per-task": r"\d+",
    "time": r"\d\d:\d\d:\d\d",
    "signal": r"SIGUSR1@\d+",
    "requeue": "",
    "open-mode": "append",
    "output": r"slurm-%A_%a\.log",
}
SRUN = '#!/bin/sh\nprintf "%s\\n" "$@" > "$SEEN"\nenv > "$SEEN.env"\n'


@pytest.fixture(scope="module")
def given():
    """Return what the script asks for."""
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    own = next(place for place, line in enumerate(lines) if line and not line.startswith("#"))
    assert not [line for line in lines[own:] if line.startswith("#SBATCH")], "sbatch stops there"
    words = [line.split(maxsplit=1)[1] for line in lines if line.startswith("#SBATCH")]
    return {name.removeprefix("--"): value for name, _, value in (w.partition("=") for w in words)}


def test_it_asks_for_what_goes_on_by_itself(given):
    """Traps: --ntasks, B:, and a name that is taken for a shell."""
    assert list(given) == list(OPTIONS)
    for name, value in given.items():
        assert re.fullmatch(OPTIONS[name], value), name
    assert given["job-name"] not in ("bash", "interactive")


def test_each_option_is_explained():
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if line.startswith("#SBATCH"):
            assert before.startswith("# "), line


def test_it_is_a_script():
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)


def run_script(folder, variables, *words):
    (folder / "srun").write_text(SRUN)
    (folder / "srun").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    path = f"{folder}:{os.environ['PATH']}"
    own = {"PATH": path, "SEEN": str(folder / "seen"), **variables}
    done = subprocess.run(
        ["bash", str(SCRIPT), *words], env={**kept, **own}, capture_output=True, text=True
    )
    return done


def test_its_command_is_understood_and_fits_its_tasks(tmp_path, monkeypatch):
    job = {
        "JOB_ID": "77", "JOB_NAME": "lt", "ARRAY_JOB_ID": "70", "ARRAY_TASK_ID": "2",
        "NNODES": "2", "NTASKS": "16", "NTASKS_PER_NODE": "8",
        "CPUS_PER_TASK": "8", "PROCID": "0",
    }  # fmt: skip
    variables = {f"SLURM_{name}": value for name, value in job.items()}
    done = run_script(tmp_path, variables, "ce", "--config", "data/digits", "--data.batch_size=64")
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "seen").read_text().splitlines()
    assert "SRUN_CPUS_PER_TASK=8" in (tmp_path / "seen.env").read_text().splitlines()
    command = words[words.index("lt") + 1 :]
    answer = in_process([*command, "--print_config"])
    assert answer.status == 0, answer.err
    config = yaml.safe_load(answer.out)
    assert config["seed_everything"] == 2
    assert config["data"]["batch_size"] == 64
    for name, value in {**variables, "SLURM_STEP_ID": "0"}.items():
        monkeypatch.setenv(name, value)
    tasks.check(int(config["trainer"]["devices"]), config["trainer"]["num_nodes"])


def test_without_a_config_it_says_what_to_write(tmp_path):
    done = run_script(tmp_path, {})
    assert done.returncode != 0
    assert "give a config: sbatch slurm/fit.sbatch bbn" in done.stderr
