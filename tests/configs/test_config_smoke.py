"""Method files through the real `lt`: one training, validation and test batch."""

import json

import pytest
import yaml
from config_files import (
    METHOD_FILES,
    NEED_A_TEACHER,
    NEED_ADDED_IMAGES,
    ONE_PER_METHOD,
    RUN_BY_DEFAULT,
    content,
)

SMALL = [
    *("--trainer.accelerator", "cpu", "--trainer.precision", "32-true"),
    *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
    *("--data.batch_size", "8", "--data.eval_batch_size", "16", "--data.monitor_test", "true"),
    *(f"--trainer.limit_{split}_batches=1" for split in ("train", "val", "test")),
]


def _short(path):
    """Return the options that leave one epoch, or one of each stage."""
    if "stage1_epochs" in content(path)["model"]["init_args"]:
        return ["--model.stage1_epochs", "1", "--model.stage2_epochs", "1"]
    return ["--trainer.max_epochs", "1", *_short_pretraining(path)]


def _short_pretraining(path):
    short = "trainer.max_epochs=1 data.batch_size=8"
    return ["--pretrain.options", short] if "pretrain" in content(path) else []


def _run(lt, path, root, tmp_path):
    line = ["--data.root", str(root), *SMALL, *_short(path)]
    if path.stem in NEED_A_TEACHER:
        first = lt(["fit", "--config", str(path.with_name("ce.yaml")), *line, "--name", "teacher"])
        assert first.status == 0, first.err
        line += ["--model.teacher", "runs/teacher/0"]
    answer = lt(["fit", "--config", str(path), *line])
    assert answer.status == 0, answer.err
    folder = tmp_path / "runs" / path.stem / "0"
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert (folder / "checkpoints" / "last.ckpt").is_file()
    kept = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert kept["model"]["class_path"].endswith(f".{content(path)['model']['class_path']}")
    return answer, results


def test_each_method_has_a_file_in_the_default_tests():
    files = {path.stem: content(path)["model"]["class_path"] for path in METHOD_FILES}
    assert set(files) >= ONE_PER_METHOD >= RUN_BY_DEFAULT
    assert {files[name] for name in ONE_PER_METHOD} == set(files.values())


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[] if path.stem in RUN_BY_DEFAULT else pytest.mark.slow
        )
        for path in METHOD_FILES
        if path.stem not in NEED_ADDED_IMAGES
    ],
)
def test_config_trains_validates_and_tests_one_batch(path, lt, small_cifar, tmp_path):
    answer, results = _run(lt, path, small_cifar, tmp_path)
    assert "val/acc" in answer.err
    assert "macro" in answer.out
    wanted = {"last", "best"}
    if "post_hoc" in content(path):
        wanted = {"last"}
        assert len(results["evaluations"]) > 1
    # Of some of the test images: the name says of how many.
    assert {name.partition("@")[0] for name in results["evaluations"]} >= wanted
