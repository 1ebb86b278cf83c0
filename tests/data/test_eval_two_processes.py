"""Where the test split is one batch, the second of two processes has none, and nothing stops."""

import json
import runpy
import subprocess
import sys

import pytest
import torch

# A script, since Lightning starts the second process by starting the first one's command again.
SCRIPT = """
import json, sys, torch, lightning as L
from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.data import Digits, LongTailDataModule
from lt_lightning.methods import ERM

def evaluate(**kwargs):
    data = LongTailDataModule(Digits(8), eval_batch_size=1000)
    torch.manual_seed(0)
    model = ERM(class_counts=data.class_counts.tolist(), backbone=lambda: ResNetCIFAR(8, 4))
    off = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    trainer = L.Trainer(accelerator="cpu", **off, use_distributed_sampler=False, **kwargs)
    return trainer.test(model, data, verbose=False), trainer.global_rank

if __name__ == "__main__":
    found, rank = evaluate(devices=2, strategy="ddp")
    with open(f"{sys.argv[1]}/{rank}.json", "w") as file:
        json.dump(found, file)
"""


@pytest.mark.distributed
def test_process_without_images_changes_no_bit_of_the_metrics(tmp_path):
    script = tmp_path / "evaluate.py"
    script.write_text(SCRIPT)
    with torch.random.fork_rng(devices=[]):
        wanted, _ = runpy.run_path(str(script))["evaluate"](devices=1)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "test/acc" in wanted[0]
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == wanted
