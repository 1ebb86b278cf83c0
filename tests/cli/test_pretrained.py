"""A run from pre-trained weights: the images follow them, and its checkpoint needs nothing else."""

import csv
from pathlib import Path

import pytest
import torch
import yaml
from torchvision import models

NETWORK = "--model.backbone TorchvisionBackbone --model.backbone.name shufflenet_v2_x0_5"
LINE = (
    f"fit --model ERM {NETWORK} --data.source ImageFolder --data.profile AsIs --data.batch_size 6 "
    "--trainer.precision 32-true --trainer.accelerator cpu --model.optimizer SGD "
    "--model.optimizer.lr 0.001 --name tuned"
)
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(3)
    file = tmp_path_factory.mktemp("weights") / "own.pth"
    torch.save({"state_dict": models.shufflenet_v2_x0_5().state_dict()}, file)
    return file


def config():
    return yaml.safe_load(Path("runs/tuned/0/config.yaml").read_text(encoding="utf-8"))


def test_a_finished_run_needs_neither_file_nor_network(lt, place, weights, no_network):
    file = Path("own.pth")
    file.write_bytes(weights.read_bytes())
    line = f"{LINE} --data.root {place['images']} --model.backbone.weights own.pth"
    answer = lt(f"{line} --trainer.max_epochs 1")
    assert answer.status == 0, answer.err
    total = len([k for k in torch.load(file)["state_dict"] if "num_batches" not in k])
    assert f"own.pth: took {total - 2} of {total} tensors; left out: fc.weight, fc." in answer.err
    assert config()["data"]["source"]["init_args"]["image_size"] == 224
    normalize = config()["data"]["normalize"]["init_args"]
    assert {name: normalize[name] for name in IMAGENET} == IMAGENET
    file.unlink()
    answer = lt(f"predict runs/tuned/0 --images {place['images']}/test --out p.csv")
    assert answer.status == 0, answer.err
    with open("p.csv", newline="", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 6


@pytest.mark.slow
def test_a_run_is_tested_and_goes_on_without_the_file(lt, place, weights):
    file = Path("own.pth")
    file.write_bytes(weights.read_bytes())
    line = f"{LINE} --data.root {place['images']} --model.backbone.weights own.pth"
    assert lt(f"{line} --trainer.max_epochs 1").status == 0
    file.unlink()
    assert lt("test runs/tuned/0").status == 0
    answer = lt(f"{line} --trainer.max_epochs 2 --ckpt_path last")
    assert answer.status == 0, answer.err
    answer = lt(f"{line} --trainer.max_epochs 1 --version again")
    assert answer.status == 1
    assert "There is no file of weights own.pth" in answer.err


@pytest.mark.slow
def test_weights_by_name_are_fetched_once(lt, place, weights, monkeypatch):
    state, asked = torch.load(weights)["state_dict"], []

    def fetch(self, *args, **kwargs):
        asked.append(self)
        return state

    monkeypatch.setattr(models.ShuffleNet_V2_X0_5_Weights, "get_state_dict", fetch)
    answer = lt(
        f"{LINE} --data.root {place['images']} --model.backbone.weights DEFAULT "
        "--trainer.max_epochs 1"
    )
    assert answer.status == 0, answer.err
    assert len(asked) == 1
    assert lt(f"predict runs/tuned/0 --images {place['images']}/test --out p.csv").status == 0
    assert lt("test runs/tuned/0").status == 0
    assert len(asked) == 1


@pytest.fixture
def options(lt, place, weights, monkeypatch):
    """Return a function that gives the options of a fit before anything is built."""
    from lt_lightning.cli.app import LTCLI

    found = []

    def stop(cli):
        found.append(cli.options)
        raise KeyboardInterrupt

    monkeypatch.setattr(LTCLI, "instantiate_classes", stop)

    def parse(words):
        answer = lt(f"{LINE} --data.root {place['images']} {words}")
        assert found, answer.err
        return found.pop(), answer.err

    return parse


def test_what_is_given_wins_and_is_told_where_the_weights_ask_otherwise(options, weights):
    found, told = options(
        f"--model.backbone.weights {weights} --data.source.image_size 64 --data.normalize Normalize"
    )
    assert found.data.source.init_args.image_size == 64
    assert found.data.normalize.init_args.mean[0] == pytest.approx(0.4914)
    assert "The weights ask for mean [0.485, 0.456, 0.406]" in told
    assert "trained on images of 224 pixels but data.source.image_size is 64" in told
    assert found.model.init_args.backbone.init_args.image_size == 64, "a ViT is made for it"


def test_without_weights_only_the_constants_follow_the_network(options):
    found, told = options("")
    assert found.data.source.init_args.image_size is None
    assert found.data.normalize.init_args.mean == IMAGENET["mean"]
    assert "ask" not in told
    found, _ = options("--model.backbone ResNetCIFAR")
    assert found.data.normalize is None


def test_a_null_below_a_class_is_no_text(options):
    found, _ = options(
        "--model.backbone.weights null --model.tuning FineTuning "
        "--model.tuning.trained_from null --data.test_root null"
    )
    assert found.model.init_args.backbone.init_args.weights is None
    assert found.model.init_args.tuning.init_args.trained_from is None
    assert found.data.test_root is None


def test_unknown_weights_are_refused_before_there_is_a_folder(lt, place):
    answer = lt(f"{LINE} --data.root {place['images']} --model.backbone.weights gone.pth")
    assert answer.status == 1
    assert not Path("runs/tuned").exists()
