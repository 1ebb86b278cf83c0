"""`~` in a path: a home folder, or one sentence where there is no such user."""

import argparse
from pathlib import Path

import pytest

from lt_lightning.backbones.weight_files import is_file, read_weights
from lt_lightning.cli.commands.data import _asked
from lt_lightning.data import AsIs, Digits, ImageFolder, LongTailDataModule
from lt_lightning.data.listed import file_named
from lt_lightning.data.tested import labelled_folder
from lt_lightning.errors import UserError
from lt_lightning.home import home

GONE = "~no-such-user/pictures"
PACKAGE = Path(__file__).parents[1] / "lt_lightning"


def test_it_stands_for_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home("~/a") == home(Path("~/a")) == tmp_path / "a"
    assert home("b/~") == Path("b/~")


def _checked() -> None:
    _asked(argparse.Namespace(source=GONE, root=None))


PLACES = {
    "helper": lambda: home(GONE),
    "root": lambda: LongTailDataModule(source=Digits(), root=GONE, profile=AsIs()),
    "added": lambda: LongTailDataModule(source=Digits(), profile=AsIs(), added_images=GONE),
    "test": lambda: labelled_folder(Path(GONE), ["a", "b"], ImageFolder(), 8),
    "list": lambda: file_named(GONE, Path(), "data.source.train"),
    "weights": lambda: is_file(GONE),
    "read": lambda: read_weights(f"{GONE}.pth"),
    "check": _checked,
}


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_user_is_one_sentence(place: str) -> None:
    with pytest.raises(UserError, match=r"^~no-such-user/pictures\S* begins .*: give the whole"):
        PLACES[place]()


def test_nothing_expands_a_path_by_itself() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if "expanduser" in file.read_text("utf-8")]
    assert files == [PACKAGE / "home.py"]
