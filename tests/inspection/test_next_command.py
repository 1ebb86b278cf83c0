"""The command that `lt data check` ends with: what was asked is in it, and it runs."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from lt_runs import in_process
from PIL import Image

from lt_lightning.data import ImageFolder
from lt_lightning.inspection import inspect
from lt_lightning.inspection.at_fit import _asked

SHORT = ["--trainer.accelerator", "cpu", "--trainer.max_epochs", "1", "--data.workers", "0"]
SHORT += ["--trainer.limit_train_batches", "1", "--trainer.limit_test_batches", "1"]
SMALL = ["--model.backbone.depth", "8", "--model.backbone.width", "4"]


def checked(*words):
    answer = in_process(["data", "check", *map(str, words)])
    told = answer.out.splitlines()
    return answer, told, told[-1].partition(": ")[2]


@pytest.fixture(params=["parses", pytest.param("fits", marks=pytest.mark.slow)])
def runs(request, tmp_path, monkeypatch):
    """Gives the command to `lt` from elsewhere, to be parsed, or cut down to one batch."""

    def run(command, *more):
        monkeypatch.chdir(tmp_path)
        program, *words = shlex.split(command)
        assert program == "lt"
        end = [*SHORT, *more] if request.param == "fits" else ["--print_config"]
        answer = in_process([*words, *end])
        assert answer.status == 0, answer.err

    return run


def fill(folder, side=(9, 10), mode="RGB"):
    """Write pictures of both classes into <class>/*, s<k>_<i>.png, with names relative to it."""
    rng = np.random.default_rng(0)
    names = [f"{c}/s{k}_{i}.png" for c in ("cat", "owl") for k in range(4) for i in range(2)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        grey = rng.integers(0, 4096, side).astype(np.uint16)
        colours = rng.integers(0, 256, (*side, 3)).astype(np.uint8)
        Image.fromarray(grey if mode == "I;16" else colours).save(folder / name)
    return names


@pytest.fixture
def flat(tmp_path):
    return tmp_path / "it's my flat", fill(tmp_path / "it's my flat")


@pytest.fixture
def table(flat):
    """A table in a folder of its own, with odd columns, a fold of words, and groups."""
    root, names = flat
    lines = ["bild;art;fold;wer"]
    for place, name in enumerate(names):
        fold = "yes" if place % 4 == 3 else "it's"
        lines.append(f"{name.removesuffix('.png')};{name[:3]};{fold};{name.split('_')[0]}")
    (root.parent / "table.csv").write_text("\n".join(lines))
    return root.parent / "table.csv", root


def test_a_folder_without_test_runs_as_it_was_asked(flat, runs):
    root, names = flat
    (root / names[0]).write_bytes(b"torn")
    answer, _, command = checked(root, "--group_by", "^(.*)_", "--split_seed", 3)
    assert answer.status == 1
    assert command.endswith("unreadable skip")
    for words in ("group_by '^(.*)_'", "split_seed 3", "test_fraction 0.2"):
        assert f"--data.source.{words}" in command
    runs(command, *SMALL)


def test_deep_grey_runs_as_it_was_asked(tmp_path, runs):
    fill(tmp_path / "grey", mode="I;16")
    answer, told, command = checked(tmp_path / "grey")
    assert answer.status == 1
    assert "16 images cannot be used" in answer.err
    (fault,) = [line for line in told if "of the images" in line]
    assert fault.startswith("- 16 of the images has 16 bits of grey but none above ")
    assert "set --data.source.grey_bits 12" in fault, "one kind, whatever the number in it is"
    assert " skip" not in command
    assert " skip" not in answer.err
    assert any("training is refused too: No image of the class 'cat', 'owl'" in t for t in told)
    assert told[-1].startswith("Next, when they are mended: lt fit")
    answer, told, command = checked(tmp_path / "grey", "--data.source.grey_bits", 12)
    assert answer.status == 0
    assert "--data.source.grey_bits 12" in command
    runs(command, *SMALL)


def test_skip_is_not_proposed_where_it_empties_a_class(folder):
    for path in (folder / "train/owl").iterdir():
        path.write_bytes(b"torn")
    for more in ((), ("--unreadable", "skip")):
        answer, told, command = checked(folder, *more)
        assert answer.status == 1
        assert " skip" not in command + answer.err
        assert any("No image of the class 'owl'" in line for line in told)


def test_what_skips_may_be_trained_on(folder, runs):
    (folder / "train/owl/0.png").write_bytes(b"torn")
    answer, _, command = checked(folder, "--unreadable", "skip")
    assert (answer.status, answer.err) == (0, "")
    runs(command, *SMALL)


def test_a_table_runs_as_it_was_asked(table, runs):
    file, root = table
    given = ["--root", root, "--path_column", "bild", "--label_column", "art"]
    given += ["--split_column", "fold", "--split_values", '{"it\'s": train, "yes": test}']
    answer, told, command = checked(file, *given, "--path_format", "{}.png", "--group_by", "wer")
    assert answer.status == 0, answer.err
    assert "2 classes, images: 12 in train, 4 in test" in answer.out
    assert any("4 groups have images in the train and in the test split" in line for line in told)
    assert "--config data/table" in command
    assert "test_fraction" not in command
    runs(command, *SMALL)


def test_a_folder_with_metadata_is_a_table(flat, runs):
    root, names = flat
    text = "\n".join(["file_name,label", *(f"{name},{name[:3]}" for name in names)])
    (root / "metadata.csv").write_text(text)
    answer, _told, command = checked(root)
    assert answer.status == 0, answer.err
    assert "2 classes, images: 12 in train, 4 in test" in answer.out
    runs(command, *SMALL)


@pytest.fixture
def listed(flat):
    root, names = flat
    for name, part in (("train", names[::2]), ("test", names[1::2])):
        text = "\n".join(f"{path} {int(path[:3] == 'owl')}" for path in part)
        (root / f"{name}.txt").write_text(text)
    return root


def test_a_list_runs_as_it_was_asked(listed, runs):
    answer, _told, command = checked(listed / "train.txt", "--test", "test.txt")
    assert answer.status == 0, answer.err
    assert "2 classes, images: 8 in train, 8 in test" in answer.out
    runs(command, *SMALL)


def test_everything_odd_in_a_list_is_found(listed):
    names = ["cat/s0_0.png", "owl/s0_0.png", "cat/s0_1.png", "cat/s1_1.png"]
    for copy in names[1:3]:
        (listed / copy).write_bytes((listed / names[0]).read_bytes())
    (listed / names[3]).unlink()
    (listed / "names.txt").write_text("Owl\nowl\n")
    answer, told, command = checked(
        listed / "train.txt", "--test", "test.txt", "--names", "names.txt", "--group_by", "^(.*)_"
    )
    assert answer.status == 1
    told = "\n".join(told)
    assert "1 of the images cannot be read (FileNotFoundError), such as cat/s1_1.png" in told
    assert "the same picture is under two classes: 1 picture," in told
    assert "'Owl' and 'owl' (case)" in told
    assert "4 groups have images in the train and in the test split" in told
    assert command.endswith("--data.source.unreadable skip")


def test_large_pictures_are_given_a_network(tmp_path):
    fill(tmp_path / "large", (120, 100))
    _, _, command = checked(tmp_path / "large")
    assert "--config data/folder_large" in command
    assert command.endswith("--model.backbone TorchvisionResNet --model.backbone.name resnet50")


@pytest.mark.parametrize("kind", ["folder", "table", "list"])
def test_large_pictures_run(kind, tmp_path, runs):
    root = tmp_path / "large"
    names, given = fill(root, (120, 100)), root
    if kind == "table":
        given = root / "images.tsv"
        given.write_text("\n".join(["file\tlabel", *(f"{name}\t{name[:3]}" for name in names)]))
    if kind == "list":
        given = root / "all.txt"
        given.write_text("\n".join(f"{name} {int(name[:3] == 'owl')}" for name in names))
    answer, _, command = checked(given)
    assert answer.status == 0, answer.err
    less = ["--model.backbone.name", "resnet18", "--data.source.image_size", "64"]
    runs(command, *less)


def test_an_option_that_begins_with_a_dash_is_one(flat):
    root, _ = flat
    _, _, command = checked(root, "--group_by=-?(.*)_")
    assert "'--data.source.group_by=-?(.*)_'" in command


def test_faults_of_one_kind_are_counted_together(tmp_path):
    fill(tmp_path / "grey", mode="I;16")
    found = inspect(ImageFolder(in_memory=False, test_fraction=0.2), tmp_path / "grey")
    assert len({one.fault for one in found.faults}) > 1
    assert len({one.kind for one in found.faults}) == 1


@pytest.mark.parametrize("name", ["-d", "#h", "null", "my pets"])
def test_a_name_that_looks_like_something_else_is_a_path_in_the_command(
    name, tmp_path, monkeypatch, runs
):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / name)
    answer, _told, command = checked(f"./{name}")
    assert answer.status == 0, answer.err
    source = ImageFolder(test_fraction=0.2)
    assert shlex.split(_asked(source, Path(name))) == ["my pets" if " " in name else f"./{name}"]
    runs(command, *SMALL)
