"""A command that a message suggests can be copied into a shell as it is."""

import shlex
from pathlib import Path

import pytest

from lt_lightning import shell
from lt_lightning.auto.choice import Choice
from lt_lightning.auto.record import Record
from lt_lightning.auto.steps import STEPS
from lt_lightning.auto.told import end
from lt_lightning.cli.words.closing import closing
from lt_lightning.data import ImageFolder
from lt_lightning.errors import UserError
from lt_lightning.post_hoc import TemperatureScaling
from lt_lightning.post_hoc.finished import _not_fitted
from lt_lightning.runs import argv
from lt_lightning.runs.yaml_file import is_hidden_null


@pytest.mark.parametrize(
    "name",
    ["my pets", "it's", "-d", "--data", "#h", "&a", "!a", "%a", "null", "$HOME"],
)
def test_any_name_is_one_word_that_means_this_path(name: str) -> None:
    (word,) = shlex.split(shell.word(name))
    assert word == shell.named(Path(name))
    assert Path(word) == Path(name)
    assert [item.value for item in argv.items(["--data.root", word])] == [word]
    assert not is_hidden_null(word)
    assert word != "null"


@pytest.mark.parametrize("name", ["pets", "_pets", "../pets", "/a/-d", ".", "7", "été"])
def test_a_usual_name_stays_as_it_is(name: str) -> None:
    assert shlex.split(shell.word(name)) == [shell.named(name)] == [name]


def test_the_end_of_a_course_names_the_chosen_run_in_quotes() -> None:
    first = STEPS[0].name
    record = Record([], 1.0, chosen={"images": 3, "acc_macro": 0.5, "acc": 0.5, "ece": None})
    choice = Choice(first, first, {}, ())
    lines = [*end(record, choice, Path("my runs/chosen"), Path("page.html"), 1.0)]
    assert "  lt predict 'my runs/chosen' --images DIR --out predictions.csv" in lines


def test_suggestions_name_folders_with_blanks_in_quotes(tmp_path: Path) -> None:
    folder = tmp_path / "my pets"
    (folder / "wandb/offline-run-1").mkdir(parents=True)
    assert f"lt report '{folder}' --out" in closing(folder)
    assert f"wandb sync '{folder}'/wandb/offline-run-*" in closing(folder)
    change = TemperatureScaling()
    told = _not_fitted(folder, folder / "best.ckpt", change, True)
    assert f"`lt calibrate '{folder}' --best`" in told
    assert f"`lt test '{folder}' --post_hoc" in _not_fitted(folder, folder / "a", change, False)
    for name in ("train/cat", "train/owl"):
        (folder / "own" / name).mkdir(parents=True)
        (folder / "own" / name / "1.png").touch()
    with pytest.raises(UserError) as refused:
        ImageFolder().find(folder / "own")
    assert f"--data.root '{folder}/own/train' --data.source.test_fraction" in str(refused.value)
