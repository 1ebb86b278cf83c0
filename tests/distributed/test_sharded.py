"""Two processes (gloo), each with half of every weight, come to the weights that DDP comes to."""

import json
import os
import shutil
from pathlib import Path

import lt_killed
import pytest
import torch
from lt_runs import assert_same_end, checkpoint, in_process, results, rows, run, tiny
from tiny_vit import TinyViT

pytestmark = pytest.mark.distributed
KIT = Path(lt_killed.__file__).parent
KILLED = (lt_killed.__file__,)
# 67 held-out images: one process has two batches of 33, the other one; and two evaluations a run.
HELD_OUT = ("--data.holdout.fraction", "0.2", "--data.eval_batch_size", "33")
TWO = ("--trainer.devices", "2", "--trainer.strategy")
SHARDED = (
    *(*TWO, "lightning.pytorch.strategies.ModelParallelStrategy"),
    *("--trainer.strategy.save_distributed_checkpoint", "false"),
)
DDP = (*TWO, "ddp")
ONE = ("--trainer.devices", "1", "--trainer.strategy", "auto")


def arguments(*more):
    given = tiny("ce", "--data.batch_size", "24", *HELD_OUT)
    depth = given.index("--model.backbone.depth")
    given[depth : depth + 4] = [
        "--model.backbone",
        "tiny_vit.TinyViT",
        "--model.backbone.depth",
        "3",
    ]  # it has no width
    return [
        *(*given, "--trainer.precision", "32-true", "--trainer.gradient_clip_val", "0.5"),
        *("--checkpoint.every_n_steps", "4", "--name", "run", *more),
    ]


def lt(given, folder, *program, **changes):
    paths = os.pathsep.join([str(KIT), os.environ.get("PYTHONPATH", "")])
    return run(given, folder, *program, PYTHONPATH=paths, **changes)


def assert_close(first, second):
    a, b = checkpoint(first)["state_dict"], checkpoint(second)["state_dict"]
    assert list(a) == list(b)
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder in which a run was made that was never cut; made once."""
    folder = tmp_path_factory.mktemp("whole")
    answer = lt([*arguments(*SHARDED), "--trainer.callbacks+=shard_sizes.ShardSizes"], folder)
    assert answer.status == 0, answer.err
    assert "Warning" not in answer.err
    return folder


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """Return the folder of a run that was killed on both processes; made once."""
    folder = tmp_path_factory.mktemp("cut")
    assert lt(arguments(*SHARDED), folder, KILLED, DIE_IN_STEP="14").status != 0
    assert checkpoint(folder / "runs" / "run" / "0")["global_step"] == 12
    return folder


def test_the_weights_are_those_of_ddp(tmp_path, whole):
    answer = lt(arguments(*DDP), tmp_path)
    assert answer.status == 0, answer.err
    have, want = whole / "runs" / "run" / "0", tmp_path / "runs" / "run" / "0"
    assert_close(have, want)
    for name in ("last", "best"):
        a, b = (results(folder)["evaluations"][name] for folder in (have, want))
        assert a["classes"] == b["classes"]
    for mine, other in zip(rows(have), rows(want), strict=True):
        assert mine == pytest.approx(other, abs=1e-5)


def test_each_process_holds_its_part_alone(whole):
    total = sum(parameter.numel() for parameter in TinyViT().parameters()) + 17 * 10
    sizes = [json.loads((whole / f"sizes-{rank}.json").read_text()) for rank in (0, 1)]
    for weights, momentum in sizes:
        assert weights == momentum <= 0.55 * total  # a tensor of an odd length is parted unevenly
    assert sum(weights for weights, _ in sizes) == total


def test_one_process_tests_and_predicts_from_its_checkpoint(tmp_path, whole, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(whole / "runs" / "run" / "0", folder)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    answer = in_process(["test", str(folder), *ONE])
    assert answer.status == 0, answer.err
    want = results(whole / "runs" / "run" / "0")["evaluations"]["last"]
    assert results(folder)["evaluations"]["last"]["classes"] == want["classes"]
    from PIL import Image

    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8), (90, 20, 200)).save(tmp_path / "images" / "a.png")
    table = tmp_path / "predicted.csv"
    answer = in_process(
        ["predict", str(folder), "--images", str(tmp_path / "images"), "--out", str(table)]
    )
    assert answer.status == 0, answer.err
    assert len(table.read_text().splitlines()) == 2


def test_a_run_that_was_killed_goes_on_to_the_same_bits(tmp_path, whole, cut):
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    answer = lt([*arguments(*SHARDED), "--ckpt_path", "last"], tmp_path)
    assert answer.status == 0, answer.err
    assert_same_end(tmp_path / "runs" / "run" / "0", whole / "runs" / "run" / "0")


def test_plain_strategies_go_on_with_a_run_in_shards(tmp_path, whole, cut):
    ends = {}
    for name, strategy in (("one", ONE), ("ddp", DDP)):
        shutil.copytree(cut, tmp_path / name)
        answer = lt([*arguments(*strategy), "--ckpt_path", "last"], tmp_path / name)
        assert answer.status == 0, answer.err
        ends[name] = tmp_path / name / "runs" / "run" / "0"
    want = whole / "runs" / "run" / "0"
    assert_close(ends["ddp"], want)
    # Two processes do not divide the 263 images of an epoch, so one has other batches.
    assert checkpoint(ends["one"])["epoch"] == checkpoint(want)["epoch"]
