"""Every command of `lt` in the documents and in the heads of configs, run at one batch."""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml
from documents import ROOT, document_commands, header_commands
from lt_runs import in_process
from PIL import Image
from small_cifar import cifar_root, small_cifar

__all__ = ["cifar_root", "small_cifar"]  # fixtures

pytest.importorskip("wandb_workspaces.workspaces")  # its first import warns of its own code
pytestmark = pytest.mark.slow

BY_FILE = defaultdict(list)
for _command in [*document_commands("lt"), *header_commands()]:
    _file = _command.where.split(":")[0]
    if _command not in BY_FILE[_file]:
        BY_FILE[_file].append(_command)

DIGITS = ("--config", "configs/data/digits.yaml")
SMALL = {
    **{"--trainer.accelerator": "cpu", "--trainer.devices": "1", "--trainer.num_nodes": "1"},
    **{"--trainer.strategy": "auto", "--trainer.precision": "32-true"},
    **{f"--trainer.limit_{split}_batches": "1" for split in ("train", "val")},
    **{"--data.batch_size": "16", "--data.eval_batch_size": "64", "--data.workers": "0"},
}
NETWORK = {"--model.backbone.depth": "8", "--model.backbone.width": "4"}
NO_WIDTH = (
    "TorchvisionResNet",
    "BilateralTorchvisionResNet",
    "TorchvisionBackbone",
    "TimmBackbone",
)
TABLE = "configs/data/table.yaml"
# Their images are thousands of classes that nobody has at hand: it is said what is missing.
NOT_HERE = ("imagenet_lt.yaml", "inaturalist2018.yaml", "places_lt.yaml")
QUESTIONS = ("--help", "--model.help")


def _content(words):
    """Return what the first config of a command holds: its method."""
    return yaml.safe_load((ROOT / words[words.index("--config") + 1]).read_text("utf-8"))


def at_one_batch(words, runs):
    """Return the words of `lt fit`, its data in the package and its length one batch."""
    if set(QUESTIONS) & set(words):
        return list(words)
    content, words = _content(words), list(words)
    if not any("/data/" in word for word in words) and "--data.source" not in words:
        words += DIGITS
    small = {**SMALL, "--trainer.max_epochs": "1"}
    if not set(NO_WIDTH) & set(words):
        small |= NETWORK
    if "stage1_epochs" in content.get("model", {}).get("init_args", {}):
        small["--trainer.max_epochs"] = "null"
        small |= {"--model.stage1_epochs": "1", "--model.stage2_epochs": "1"}
    if "pretrain" in content:
        small["--pretrain.options"] = "trainer.max_epochs=1 data.batch_size=8"
    needed = {}
    if any("/folder" in word for word in words):
        needed = {"--data.root": "ONE_TREE" if "--data.source.test_fraction" in words else "DIR"}
    if TABLE in words:
        needed = {"--data.root": "DIR", "--data.source.file": "TABLE.csv"}
        needed |= {"--data.source.test_fraction": "0.2"}
    needed |= {"--data.root": runs["cifar"]} if "--data.source" in words else {}
    if content.get("model", {}).get("class_path") == "PseudoLabel":
        needed["--model.teacher"] = "RUN"
    if "StepSwitch" in str(content) and "WithAdded" in str(content):
        needed["--data.added_images"] = "ADDED"
    if "stage2" in str(content.get("data", {}).get("samplers")) and "WithAdded" in str(content):
        needed["--data.added_images"] = "ADDED"
    for key, value in needed.items():
        if key not in words:
            words += [key, value]
    kept = _without(words, {*small, "--trainer.max_epochs"})
    if "CIFAR100" in words:
        small["--data.profile.imbalance_ratio"] = "10"  # there are ten images of a class
    return [*kept, *(word for pair in small.items() for word in pair)]


def _small_sweep(words):
    """Return a sweep of runs of one batch, or the plan of one of the package."""
    if "--configs" not in words:
        return words if "--status" in words else [*words, "--launcher", "print"]
    small = {**SMALL, **NETWORK, "--trainer.max_epochs": "1", "--data.source.size": "8"}
    return [*words, *(w for k, v in small.items() for w in ("--set", f"{k[2:]}={v}"))]


def _short_auto(words):
    """Return an `lt auto` whose trainings are of a few batches; its time is no limit."""
    short = {"--trainer.max_epochs": "2", "--trainer.limit_train_batches": "2"}
    small = {**short, "--trainer.accelerator": "cpu", "--data.workers": "0"}
    # With another network on the same pictures it is another run, which needs another name.
    larger = {"--name": "larger", "--data.source.image_size": "32"}
    network = larger if "--model.backbone" in words else NETWORK
    kept = _without(words, {*small, "--minutes"})
    given = {**small, **network, "--minutes": "60"}
    return [*kept, *(word for pair in given.items() for word in pair)]


def _without(words, keys):
    """Return the words less the options `keys` and their values."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in keys:
            skip = True
        else:
            kept.append(word)
    return kept


def _placed(words, runs):
    """Return the words with what this test made in the place of RUN, DIR and the like."""
    held = words[1] == "calibrate" or {"--post_hoc", "--calibrated"} & set(words)
    names = {**runs, "RUN": runs["HELD"] if held else runs["RUN"]}
    if TABLE in words or "ImageTable" in words:
        names["DIR"] = str(Path(runs["TABLE.csv"]).parent)
    if {"--post_hoc.shares", "--target_prior"} & set(words):
        names["FILE"] = runs["shares.csv"]
    if "TotalDirectEffect" in words:
        names["RUN"] = runs["TDE"]
    if "--data.added_images" in words:
        names["DIR"] = runs["ADDED"]
    return [_below(word, names) for word in words]


def _below(word, names):
    """Return the word with the place in front of its path, SHOP/images.csv, resolved."""
    first, slash, rest = word.partition("/")
    return f"{names.get(first, first)}{slash}{rest}"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Return folders of small pictures by the name that documents use."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)

    def write(folder, count):
        folder.mkdir(parents=True)
        for place in range(count):
            image = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(image).save(folder / f"s{place // 2}_{place}.png")

    for name in map(str, range(10)):
        write(root / "DIR" / "train" / name, 100)  # ratio 100 leaves one
        write(root / "DIR" / "test" / name, 3)
        write(root / "ONE_TREE" / name, 10)
    write(root / "MORE", 12)
    write(root / "SHOP" / "images", 40)
    rows = [f"s{k // 2}_{k},{k // 4},{'boot' if k % 8 < 4 else 'hat'}" for k in range(40)]
    (root / "SHOP" / "images.csv").write_text("\n".join(["image,sender,label", *rows]))
    for split in ("train", "test"):
        write(root / "LISTED" / split, 12)
        lines = [f"{split}/s{k // 2}_{k}.png {k % 2}" for k in range(12)]
        (root / "LISTED" / f"my_{split}.txt").write_text("\n".join(lines))
    write(root / "TABLED", 40)
    rows = [f"s{k // 2}_{k}.png,{k % 2},{k // 4}" for k in range(40)]
    both = [f"{row},{','.join(row.split(',')[:2])}" for row in rows]
    (root / "TABLED" / "images.csv").write_text("\n".join(["path,label,sender,image,kind", *both]))
    (root / "shares.csv").write_text("".join(f"{k},{k}\n" for k in range(10)))
    names = ("DIR", "ONE_TREE", "MORE", "SHOP", "LISTED", "shares.csv")
    table = {"TABLE.csv": str(root / "TABLED" / "images.csv")}
    return {**{name: str(root / name) for name in names}, **table}


@pytest.fixture(scope="module")
def made(tmp_path_factory, pictures, cifar_root):
    """Return runs, and the folders that commands start from."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        _stand_in(folder, patch)
        runs = {**pictures, "cifar": str(cifar_root)}
        for name, config, more in (
            ("RUN", "ce", [*DIGITS]),
            ("HELD", "ce", [*DIGITS, "--data.holdout.fraction", "0.1"]),
            ("TDE", "causal_tde", [*DIGITS]),
            ("FOLDER_RUN", "ce", ["--config", "configs/data/folder.yaml"]),
        ):
            own = ["--name", f"made-{name.lower()}"]
            words = ["lt", "fit", "--config", f"configs/{config}.yaml", *more, *own]
            placed = [pictures.get(word, word) for word in at_one_batch(words, runs)]
            answer = in_process(placed[1:])
            assert answer.status == 0, answer.err
            runs[name] = str(folder / "runs" / own[1] / "0")
        answer = in_process(["cam", runs["RUN"], "--out", "ADDED"])
        assert answer.status == 0, answer.err
    return {**runs, "ADDED": str(folder / "ADDED")}


def _stand_in(folder, patch):
    for name in ("configs", "results", "examples"):
        (folder / name).symlink_to(ROOT / name)
    patch.chdir(folder)
    patch.syspath_prepend(str(ROOT / "examples" / "my_method"))
    patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)


@pytest.mark.parametrize("file", BY_FILE)
@pytest.mark.timeout(1200)
def test_commands_run_in_their_order(file, made, small_cifar, tmp_path, monkeypatch):
    _stand_in(tmp_path, monkeypatch)
    runs = dict(made)
    for command in BY_FILE[file]:
        words = list(command.words)
        if file.startswith("configs/") and words[1] == "cam":
            words = [re.sub(r"^runs/.*", "RUN", word) for word in words]
        if "--out" in words and words[words.index("--out") + 1] == "ADDED":
            runs["ADDED"] = str(tmp_path / "ADDED")
        if words[1] == "fit":
            words = at_one_batch(words, runs)
        if words[1] == "sweep":
            words = _small_sweep(words)
        if words[1] == "auto":
            words = _short_auto(words)
        answer = in_process(_placed(words, runs)[1:])
        if file.endswith(NOT_HERE):
            assert answer.status == 1
            assert "is not a folder: set --data.root to the folder of images." in answer.err
        else:
            assert answer.status == 0, f"{command.name}: {answer.err}"
