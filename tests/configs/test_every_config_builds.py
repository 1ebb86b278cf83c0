"""Every method file builds as it is written, and its head says where its values are from."""

import re

import pytest
from config_files import METHOD_FILES, RUN_BY_DEFAULT, WITHOUT_LABELS, content, header

BATCH = {"causal_tde": 256, "hybrid_psc": 512, "hybrid_sc": 512, "pseudo_label": 256}


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.stem) for p in METHOD_FILES if p.stem not in RUN_BY_DEFAULT],
)
def test_model_and_data_are_built_from_the_file_alone(path, build):
    cli = build("--config", path)
    assert cli.datamodule.class_counts.tolist() == cli.model.loss.class_counts.tolist()
    assert int(cli.datamodule.class_counts.sum()) == 12_406  # CIFAR-10-LT at ratio 100
    assert cli.options.trainer.max_epochs >= 200
    assert sorted(cli.datamodule.samplers or {}) == sorted(cli.model.streams)


def test_file_names_all_that_decides_a_run(method_file):
    found = content(method_file)
    assert set(found) <= {"seed_everything", "pretrain", "trainer", "model", "data", "post_hoc"}
    assert found["seed_everything"] == 0
    model, data = found["model"]["init_args"], found["data"]
    epochs = found.get("trainer", {}).get("max_epochs")
    stage1 = 320 if method_file.stem == "bag_of_tricks" else 200
    assert epochs == 200 or (model["stage1_epochs"] == stage1 and model["stage2_epochs"] > 0)
    assert set(model) >= {"backbone", "optimizer", "lr_schedule"}
    labels_are_used = found["model"]["class_path"] not in WITHOUT_LABELS
    assert ("head" in model, "loss" in model) == (labels_are_used, labels_are_used)
    assert set(data) >= {"source", "profile", "batch_size"}
    assert ("sampler" in data) != ("samplers" in data)
    assert data["profile"] == {
        "class_path": "Exponential",
        "init_args": {"imbalance_ratio": 100},
    }
    assert data["batch_size"] == BATCH.get(method_file.stem, 128)


def test_head_says_what_it_is_and_whence(method_file):
    lines = header(method_file)
    text = " ".join(lines)
    assert len(lines[0]) > 10
    assert re.search(r"Paper: .*((19|20)\d\d|code)", text)
    (published,) = [line for line in lines if line.startswith("Published")]
    value = published.split(":", 1)[1]
    assert re.search(r"\b\d\d\.\d", value) or re.search(r"\bnone\b", value)
    assert sum(line.startswith("Measured here:") for line in lines) == 1
