"""Whatever the files of a run hold, a report of any form is a text or one sentence."""

import copy
import random

import pytest

from lt_lightning.report.command import FORMATS, report

CONFIG = {
    "model": {"class_path": "ERM", "init_args": {"stage1_ckpt": "runs/ce/0", "lr": 0.1}},
    "data": {
        "source": {"class_path": "Digits", "init_args": {"size": 8}},
        "profile": {"class_path": "Exponential", "init_args": {"imbalance_ratio": 100}},
    },
    "trainer": {"max_epochs": 3},
}
CURVES = {"train/loss": [2.0, 1.0], "val/acc": [0.1, 0.2], "val/acc_many": [0.1, 0.3]}
VALUES = [None, True, -1, 0, 1, 10**18, 10**400, 1e308, 0.5, "", "\x1b[31m", "a\nb", "<b>", [], {},
          [[]], {"a": 1}, "猫"]  # fmt: skip


def places(content, start=()):
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*start, key)
        if isinstance(value, dict | list):
            yield from places(value, (*start, key))


def mutated(content, rng):
    """The content with one value lost or replaced."""
    content = copy.deepcopy(content)
    *keys, last = rng.choice(list(places(content)))
    inner = content
    for key in keys:
        inner = inner[key]
    if rng.random() < 0.2:
        del inner[last]
    else:
        inner[last] = rng.choice(VALUES)
    return content


def answers(folder, tmp_path):
    for style in FORMATS:
        to = ["--out", str(tmp_path / "report.html")] if style == "html" else ["--format", style]
        text, status = report([str(folder), *to])
        assert text.encode()
        assert "\x1b" not in text
        assert status == 0 or (status == 1 and "\n" not in text and str(folder) in text)
        yield status


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_run_is_a_text_or_one_sentence(write, results, tmp_path, seed):
    rng = random.Random(seed)
    content = results((300, 120, 6), profile=None)
    evaluation = content["evaluations"]["last"]
    evaluation.update(weight_norms=[1.0] * 3, confusion=["0:1 1:2"] * 3, tau_curve=[[0, 0.1]] * 2)
    content["data"].update(source=None)
    for k in range(8):
        folder = write(f"results{k}/0", mutated(content, rng), curves=CURVES, config=CONFIG)
        assert set(answers(folder, tmp_path)) <= {0, 1}
        folder = write(f"config{k}/0", content, curves=CURVES, config=mutated(CONFIG, rng))
        assert set(answers(folder, tmp_path)) <= {0, 1}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a0: &a0 [x]\n" + "".join(f"a{k + 1}: &a{k + 1} [{f'*a{k},' * 9}]\n" for k in range(30)),
        "a: " + "[" * 100_000,
        "a: " + "9" * 5000,
        "a: \x00",
        "#" * 2**23,
    ],
    ids=["itself", "bomb", "deep", "digits", "nul", "comment"],
)
def test_a_config_without_an_end_is_one_sentence(write, results, text):
    folder = write("ce/0", results())
    (folder / "config.yaml").write_text(text)
    answer, status = report([str(folder), "--format", "md"])
    assert status == 1
    assert "config.yaml is damaged" in answer
    assert "\n" not in answer
