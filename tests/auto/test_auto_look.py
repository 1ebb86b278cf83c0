"""The look of `lt auto` at the pictures: what is laid over every step, and what the user says."""

import warnings

import pytest

from lt_lightning.auto import recipe
from lt_lightning.auto.given import Given
from lt_lightning.cli.commands import auto as command
from lt_lightning.data import AsIs, ImageFolder, LongTailDataModule
from lt_lightning.runs import packaged

from .conftest import draw


@pytest.fixture
def looked(monkeypatch):
    """Return what the look at the pictures gives, by the words of a command."""

    def look(*words):
        with warnings.catch_warnings():
            # Lightning calls names that jsonargparse has renamed; `lt` does not show that either.
            warnings.filterwarnings("ignore", r"(?s).*(Jsonargparse|removed in\s+v5)")
            return command._look(Given.read(packaged.in_full(words)))

    monkeypatch.setattr(recipe, "_SIDE", 1)
    monkeypatch.setattr(recipe, "_MANY", 30)
    return look


MAKES_A_TEST = "--data.source.test_fraction=0.2"


@pytest.mark.parametrize("config", ["logger/tensorboard", "trainer/cpu", "data/folder_large"])
def test_any_config_leaves_the_test_split_to_be_made(looked, pictures, config):
    data, look, laid = looked(f"--data.root={pictures}", f"--config={config}")
    assert MAKES_A_TEST in laid
    assert len(data.source.found(data.root).splits["test"]) == 8
    assert look.large == (not config.startswith("data/"))  # a source is a choice of its own


@pytest.mark.parametrize(
    ("content", "chooses"),
    [
        ("model: {init_args: {backbone: {init_args: {width: 4}}}}", True),
        ("data: {source: {class_path: ImageFolder}}", True),
        ("data: {source: {init_args: {image_size: 16}}}", True),
        ("data: {source: {init_args: {background: [0, 0, 0]}}}", False),
        ("trainer: {precision: 32-true, devices: 1, num_nodes: 1, strategy: auto}", False),
        ("seed_everything: 3", False),
        ("model: {init_args: {backbone: null}}", False),
    ],
)
def test_a_file_chooses_the_network_where_it_says_so(looked, pictures, tmp_path, content, chooses):
    file = tmp_path / "own.yaml"
    file.write_text(content, encoding="utf-8")
    _, look, laid = looked(f"--data.root={pictures}", f"--config={file}")
    assert (look.side is None) == chooses
    assert MAKES_A_TEST in laid


def test_a_file_may_name_the_pictures(looked, lt, pictures, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(f"data: {{root: {pictures}}}", encoding="utf-8")
    data, look, _ = looked(f"--config={file}")
    assert (data.root, look.images) == (pictures, 31)
    file.write_text("trainer: {precision: 32-true}", encoding="utf-8")
    answer = lt(["auto", f"--config={file}"])
    assert (answer.status, "needs your pictures" in answer.err) == (2, True)


def folder_data(root):
    source = ImageFolder(in_memory=False, test_fraction=0.2)
    return LongTailDataModule(source, str(root), AsIs())


def test_recipe_follows_size_and_number(tmp_path, monkeypatch):
    small = draw(tmp_path / "small", side=40)
    large = draw(tmp_path / "large", side=100)
    few = recipe.look_at(folder_data(large), own_choice=False)
    assert (few.images, few.side, few.large) == (31, 100, False)
    assert few.test_share == 8 / 31
    monkeypatch.setattr(recipe, "_MANY", 30)
    look = recipe.look_at(folder_data(large), own_choice=False)
    assert look.large
    assert f"--config={packaged.configs()['data/folder_large']}" in recipe.words_of(look)
    assert "--model.backbone.name=resnet18" in recipe.words_of(look)
    assert "31 training pictures of about 100 pixels: ResNet-18 at 224" in look.told()
    for other in (folder_data(small), folder_data(large)):
        own = other.root == large
        words = recipe.words_of(recipe.look_at(other, own_choice=own))
        assert f"--config={packaged.configs()['data/folder']}" in words


def test_a_folder_of_classes_alone_gets_a_test_split(tmp_path, pictures):
    alone = LongTailDataModule(ImageFolder(in_memory=False), str(pictures), AsIs())
    assert recipe.test_split(alone) == ["--data.source.test_fraction=0.2"]
    assert recipe.test_split(folder_data(pictures)) == []  # the user makes one
    draw(tmp_path / "train")
    draw(tmp_path / "test")
    split = LongTailDataModule(ImageFolder(in_memory=False), str(tmp_path), AsIs())
    assert recipe.test_split(split) == []


@pytest.mark.parametrize(
    ("words", "own", "laid"),
    [
        ([], False, True),
        ([], True, False),
        (["--data.holdout.seed=3"], False, True),
        (["--data.holdout.fraction=0.2"], False, False),
        (["--data.holdout.per_class=1"], False, False),
    ],
)
def test_a_tenth_is_held_out_where_nothing_else_is_said(looked, tmp_path, words, own, laid):
    """Trap: with an option of the hold-out alone, such as its seed, its share was missing."""
    for split in ("train", "test", *(["val"] if own else [])):
        draw(tmp_path / split)
    data, _, over = looked(f"--data.root={tmp_path}", *words)
    assert (recipe.HELD_OUT[0] in over) == laid
    assert data.has_validation
    assert (data.holdout is None) == own
