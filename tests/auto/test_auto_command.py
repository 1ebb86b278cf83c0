"""`lt auto`: what it refuses at once, what it makes of pictures, and a course of its own."""

import csv
import shutil
import signal
import time
from pathlib import Path

import pytest
from lt_runs import finish, in_process, run, start
from PIL import Image

from lt_lightning.auto.given import Given

from .conftest import TINY, known

KILLED = Path(__file__).parents[1] / "kit" / "lt_killed.py"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--minutes=0"], "--minutes is 0: give a number above 0, such as 30."),
        (["--minutes=-3"], "--minutes is -3: give"),
        (["--minutes=nan"], "--minutes is nan: give"),
        (["--minutes=inf"], "--minutes is inf: give"),
        (["--minutes=soon"], "invalid float value: 'soon'"),
        (["--name=a/b"], "name is 'a/b'"),
        (["--minuts=3"], "no option --minuts: did you mean --minutes?"),
        (["--model.loss=LDAM"], "lt auto has no option --model.loss"),
        (["--trainer.devices=2"], "it runs in one process: leave it out"),
        (["--trainer.max_steps=9"], "--minutes says how long it is: leave it out"),
        (["--trainer.max_epochs=0"], "trainer.max_epochs is 0: give"),
        (["--data.test_root=x"], "the test split is looked at once"),
        (["--data.monitor_test=true"], "the test split is looked at once"),
        (["--data.holdout=null"], "chooses on held-out images: leave out --data.holdout null"),
        (["--data.holdout=~"], "chooses on held-out images: leave out --data.holdout null"),
        (["--data.batchsize=3"], "batch_size"),
        (["stray"], "unrecognized arguments: stray"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_refused(lt, pictures, words, says):
    answer = lt(["auto", f"--data.root={pictures}", *words])
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("model: {class_path: ERM, init_args: {loss: {class_path: LDAM}}}", "has model ERM, and"),
        ("model: {init_args: {loss: {class_path: LDAM}}}", "has model.loss LDAM, and each step"),
        ("model.loss: LDAM", "has model.loss LDAM"),
        ("model: {init_args: {backbone_init: a.pth}}", "has model.backbone_init a.pth"),
        ("data: {batch_size: 8}\nmodel: {head: CosineHead}", "has model.head CosineHead"),
        ("post_hoc: {class_path: NearestMean}", "has post_hoc NearestMean"),
        ("ckpt_path: a.ckpt", "has ckpt_path a.ckpt"),
        ("trainer: other.yaml", "has trainer other.yaml"),
        ("trainer: {max_steps: 9}", "has trainer.max_steps 9, which cannot be given"),
        ("trainer: {max_time: {minutes: 3}}", "has trainer.max_time.minutes 3, which cannot"),
        ("trainer: {fast_dev_run: true}", "has trainer.fast_dev_run True, which"),
        ("trainer: {devices: 2}", "for it runs in one process: take it out of the file"),
        ("trainer: {max_epochs: 0}", "trainer.max_epochs is 0: give"),
        ("data: {test_root: x}", "for the test split is looked at once"),
        ("data: {monitor_test: true}", "has data.monitor_test True, which"),
    ],
)
def test_what_a_config_file_may_not_say(lt, pictures, content, says):
    Path("own.yaml").write_text(content, encoding="utf-8")
    answer = lt(["auto", f"--data.root={pictures}", "--config=own.yaml"])
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err
    assert not Path("runs").exists()


def test_a_config_of_a_method_is_refused(lt, pictures):
    answer = lt(["auto", f"--data.root={pictures}", "--config", "balanced_softmax"])
    assert answer.status == 2
    assert "balanced_softmax.yaml has model ERM, and each step of lt auto is" in answer.err


@pytest.mark.parametrize("word", ["--trainer={max_steps: 9}", "--data={monitor_test: true}"])
def test_a_group_as_a_whole_is_refused(lt, pictures, word):
    answer = lt(["auto", f"--data.root={pictures}", word])
    assert answer.status == 2
    assert "as a whole: give its options one by one" in answer.err


def test_a_file_is_known_by_what_it_says(tmp_path):
    file = tmp_path / "own.yaml"

    def digest(text):
        file.write_text(text, encoding="utf-8")
        return Given.read([f"--config={file}"]).digests()[str(file)]

    first = digest("trainer: {precision: 32-true}")
    assert digest("# the same\ntrainer:\n  precision: 32-true\n") == first
    assert digest("trainer: {precision: bf16-mixed}") != first


def test_pictures_are_needed(lt):
    answer = lt(["auto", "--minutes=3"])
    assert answer.status == 2
    assert "needs your pictures: lt auto --data.root DIR" in answer.err
    answer = lt(["auto", "--data.root=nowhere"])
    assert answer.status == 1
    assert "nowhere" in answer.err
    assert not Path("runs").exists()


def test_a_refused_fit_leaves_its_name_free(lt, pictures):
    words = ["auto", f"--data.root={pictures}", *TINY]
    answer = lt([*words, "--model.backbone.depth=9"])
    assert answer.status != 0
    assert "depth" in answer.err
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_course(course):
    folder, answer = course
    found = known(folder)
    assert {step["status"] for step in found["steps"].values()} == {"done"}
    assert len(found["steps"]) == 9
    lines = answer.out.splitlines()
    assert lines[0] == "31 training pictures: network and size as asked for"
    assert sum(" min" in line and " +- " in line for line in lines) == 9
    assert lines[-2] == "  lt predict runs/auto-pets/chosen --images DIR --out predictions.csv"
    assert answer.err == ""
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "tested on held_out-" in page


@pytest.mark.slow
def test_the_test_split_is_looked_at_once(course):
    from lt_lightning.runs.results import read_results

    folder, _ = course
    on_test = [
        (file.parent.parent.name, label)
        for file in folder.glob("*/0/results.json")
        for label in read_results(file)["evaluations"]
        if "@held_out-" not in label
    ]
    # One test, told by the run that was tested and by the one that was saved from it.
    step = known(folder)["chosen"]["step"]
    label = known(folder)["chosen"]["evaluation"]
    assert sorted(on_test) == sorted([("chosen", label), (step, label)])
    assert "+temperature_" in label


@pytest.mark.slow
def test_what_was_chosen_leaves_the_house(course, pictures, lt):
    pytest.importorskip("onnxruntime")
    folder, _ = course
    assert lt(["predict", f"{folder}/chosen", f"--images={pictures}", "--out=p.csv"]).status == 0
    with Path("p.csv").open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.reader(stream))) == 40
    answer = lt(["export", f"{folder}/chosen", "--format=onnx", "--out=model"])
    assert answer.status == 0, answer.err


@pytest.mark.slow
def test_the_same_command_once_more_only_tells(course, pictures, monkeypatch):
    folder, first = course
    monkeypatch.chdir(folder.parents[1])
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*.ckpt")}
    words = ["auto", f"--data.root={pictures}", "--minutes=60", *TINY]
    again = in_process(words)
    assert again.status == 0, again.err
    table = first.out.split("\n\n")[1].split("Next:")[0].splitlines()[:-1]
    assert all(line in again.out for line in table)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.ckpt")} == before
    other = in_process([*words, "--seed_everything=1"])
    assert other.status == 1
    assert "go on with these options, or give another --name" in other.err


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 5, 12], ids=["first epoch", "baseline", "later"])
def test_killed_and_begun_again(course, pictures, tmp_path, monkeypatch, step):
    folder, _ = course
    words = ["auto", f"--data.root={pictures}", "--minutes=60", *TINY]
    dead = run(words, tmp_path, (KILLED,), DIE_IN_STEP=str(step))
    assert dead.status == -signal.SIGKILL
    here = tmp_path / "runs" / "auto-pets"
    done = [name for name, one in known(here)["steps"].items() if one["status"] == "done"]
    weights = [here / name / "0" / "checkpoints" / "last.ckpt" for name in done]
    before = {file: file.stat().st_mtime_ns for file in weights}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    answer = in_process(words)

    assert answer.status == 0, answer.err
    assert {file: file.stat().st_mtime_ns for file in weights} == before
    one, other = known(here), known(folder)
    assert one["labels"] == other["labels"]
    for name, found in other["steps"].items():
        assert one["steps"][name]["right"] == found["right"], name
    assert one["chosen"]["step"] == other["chosen"]["step"]
    assert one["chosen"]["acc_macro"] == other["chosen"]["acc_macro"]


@pytest.mark.slow
def test_ctrl_c_is_told_and_stops_the_clock(pictures, tmp_path):
    words = ["auto", f"--data.root={pictures}", "--minutes=60", *TINY, "--trainer.max_epochs=200"]
    process = start(words, tmp_path)
    log = tmp_path / "runs" / "auto-pets" / "auto.log"
    while process.poll() is None and not (log.is_file() and "epoch 2/200" in log.read_text()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    answer = finish(process)
    assert answer.status == 130
    assert answer.err == "lt: interrupted; the same command goes on.\n"
    assert known(log.parent)["since"] is None
    assert known(log.parent)["steps"]["ce"]["seconds"] > 0
    assert (log.parent / "ce" / "0" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.slow
def test_pictures_that_break_a_step_are_told(course, pictures, tmp_path, lt):
    """A picture that cannot be read is told of before anything is trained."""
    root = Path(shutil.copytree(pictures, tmp_path / "pets"))
    (root / "cat" / "0.png").write_bytes(b"\x89PNG")
    answer = lt(["auto", f"--data.root={root}", "--minutes=60", *TINY])
    assert answer.status == 1
    assert "0.png" in answer.err
    assert not Path("runs").exists()
    Image.new("RGB", (8, 8)).save(root / "cat" / "0.png")
