"""`lt fit` says in one line what is odd about a user's own pictures."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from lt_runs import CONFIGS, in_process
from PIL import Image

from lt_lightning.cli.odd_pictures import OddPictures
from lt_lightning.cli.watchers import Watchers
from lt_lightning.data import (
    AsIs,
    Holdout,
    ImageFolder,
    ImageList,
    ImageTable,
    LongTailDataModule,
    UnlabelledFolder,
)
from lt_lightning.data.source import MemoryImages
from lt_lightning.inspection.at_fit import odd_at_fit, unlabelled_but_tested


@pytest.fixture
def odd(folder):
    """One picture in two splits, one under two classes, and a class beside another of its name."""
    train, test = folder / "train", folder / "test"
    shutil.copy(train / "owl/2.png", test / "owl/1.png")
    (train / "Owl").mkdir()
    Image.open(train / "cat/1.png").save(train / "Owl/other.bmp")
    return folder


def said(source, root):
    return odd_at_fit(source, root, source.load(root))


def test_each_kind_is_told_by_its_number_and_an_example(odd):
    assert said(ImageFolder(), odd) == (
        "the same picture is under two classes: 1 picture, such as train/Owl/other.bmp = "
        "train/cat/1.png; the same picture is in two splits: 1 picture, such as train/owl/2.png = "
        "test/owl/1.png; 1 class has no image in test: Owl; 1 pair of class names is easily "
        f"confused: 'Owl' and 'owl' (case): see lt data check {odd}."
    )


def test_no_picture_is_opened_for_it(odd, monkeypatch):
    source = ImageFolder(in_memory=False)
    monkeypatch.setattr(Image, "open", None)
    assert said(source, odd).startswith("1 class has no image in test: Owl; 1 pair of class ")


def test_nothing_is_said_of_sound_pictures(folder):
    shutil.copy(folder / "train/owl/2.png", folder / "train/owl/again.png")  # harms no number
    assert said(ImageFolder(), folder) == ""


@pytest.mark.parametrize("kind", [ImageTable, ImageList])
def test_a_table_or_list_is_named_as_the_check_takes_it(kind, odd):
    files = sorted(file.relative_to(odd) for file in odd.glob("*/*/*"))
    table, (train, test) = odd / "my labels.csv", (odd / "train.txt", odd.parent / "test.txt")
    rows = [f"{file},{file.parts[1]},{file.parts[0]}" for file in files]
    table.write_text("\n".join(["file,label,split", *rows]))
    numbers = {"Owl": 0, "cat": 1, "owl": 2}
    for part in (train, test):
        own = [file for file in files if file.parts[0] == part.stem]
        part.write_text("\n".join(f"{file} {numbers[file.parts[1]]}" for file in own))
    if kind is ImageTable:
        source, words = kind(str(table)), f"'{table}'"
    else:
        train = train.rename(odd.parent / "list.txt")
        source, words = kind(str(train), str(test)), f"{train} --root {odd}"
    assert said(source, odd).endswith(f": see lt data check {words}.")


def test_a_fit_says_it_once_and_a_test_does_not(odd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configs = (CONFIGS / f"{name}.yaml" for name in ("ce", "data/folder"))
    fit = ["fit", *(word for file in configs for word in ("--config", str(file)))]
    fit += ["--data.root", str(odd), "--data.source.image_size", "8", "--data.batch_size", "4"]
    fit += ["--model.backbone.depth", "8", "--model.backbone.width", "4"]
    fit += ["--trainer.accelerator", "cpu", "--trainer.fast_dev_run", "true"]
    answer = in_process(fit)
    assert answer.status == 0, answer.err
    assert answer.err.count("lt: the same picture is under two classes: 1 picture,") == 1
    assert "lt data check" not in in_process(fit).err  # a run and its pre-training are two fits
    assert not any(isinstance(w, OddPictures) for w in Watchers(tmp_path, None).of_test())


@pytest.mark.parametrize("in_memory", [True, False])
def test_unlabelled_pictures_that_are_tested_on_are_told(folder, tmp_path, monkeypatch, in_memory):
    def said_of(pictures, **more):
        source, unlabelled = ImageFolder(image_size=8, in_memory=in_memory), UnlabelledFolder
        given = {"root": str(folder), "unlabelled": unlabelled(str(pictures)), "profile": AsIs()}
        data = LongTailDataModule(source=source, workers=0, **given, **more)
        data.setup("fit")
        return unlabelled_but_tested(data.find_unlabelled(), data.evaluated())

    remedy = "take it out of data.unlabelled, for the run is trained on it."
    tests = sorted((folder / "test").glob("*/*"))
    told = f"{len(tests)} pictures, such as {tests[0]}"
    expected = f"the same picture is unlabelled and in test: {told}: {remedy}"
    assert said_of(folder / "test") == expected
    assert said_of(folder / "test", monitor_test=True) == expected
    (tmp_path / "link").symlink_to(folder)
    assert "in test" in said_of(tmp_path / "link/test")
    assert "unlabelled and in val: " in said_of(folder / "train", holdout=Holdout(per_class=1))
    assert said_of(folder / "train") == ""
    copy = shutil.copy(tests[0], tmp_path / "copy.png")
    (tmp_path / "mine").mkdir()
    shutil.move(copy, tmp_path / "mine")
    one = f"unlabelled and in test: 1 picture, such as {tmp_path}/mine/copy.png:"
    assert (one in said_of(tmp_path / "mine")) == in_memory  # no file is opened for it


def test_a_fit_looks_at_unlabelled_pictures_of_any_source(folder, monkeypatch, caplog):
    data = LongTailDataModule(unlabelled=UnlabelledFolder(str(folder / "test")), workers=0)
    data.setup("fit")
    found = data.find_unlabelled()
    images = MemoryImages(found.images.labels, data.evaluated()["test"].images[: len(found.paths)])
    monkeypatch.setattr(data, "find_unlabelled", lambda: replace(found, images=images))
    trainer = SimpleNamespace(datamodule=data, is_global_zero=True)
    with caplog.at_level("WARNING", "lt_lightning"):
        OddPictures().on_fit_start(trainer, None)
    assert f"unlabelled and in test: {len(found.paths)} pictures" in caplog.text
