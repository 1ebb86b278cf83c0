"""The method: its loss by hand, and one training through the command."""

from pathlib import Path

import torch
from my_method import TwoDraws

from lt_lightning.cli import main
from lt_lightning.testing import check_method

CONFIG = Path(__file__).parents[1] / "two_draws.yaml"
TINY = (
    "--data.source Digits --data.source.size 8 --data.profile.imbalance_ratio 50 "
    "--data.batch_size 32 --model.backbone.depth 8 --model.backbone.width 4 "
    "--trainer.accelerator cpu --trainer.max_epochs 1 --trainer.limit_train_batches 2"
).split()


def test_contract():
    check_method(TwoDraws)


def test_loss_is_the_weighted_sum(monkeypatch):
    model = TwoDraws(class_counts=[30, 3], weight=0.25).eval()
    monkeypatch.setattr(model, "log_train", lambda count, **terms: terms)
    uniform = torch.randn(4, 3, 32, 32), torch.tensor([0, 0, 0, 1])
    balanced = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 0, 1])
    got = model.training_step({"uniform": uniform, "balanced": balanced}, 0)["loss"]
    parts = [model.loss(model(images), targets) for images, targets in (uniform, balanced)]
    assert torch.allclose(got, 0.75 * parts[0] + 0.25 * parts[1])


def test_it_trains_and_is_tested_from_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--config", str(CONFIG), *TINY, "--name", "mine"]) == 0
    assert main(["test", "runs/mine/0"]) == 0
