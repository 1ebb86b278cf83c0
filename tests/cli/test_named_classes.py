"""A class that cannot be imported is told with the remedy of its case, wherever it is written."""

import logging
import sys
from pathlib import Path

import pytest
from packages import site

from lt_lightning.api.options import words
from lt_lightning.errors import UserError
from lt_lightning.losses import CrossEntropy
from lt_lightning.runs import class_path

__all__ = ["site"]  # a fixture
MODULES = {
    "unparsed": "def f(:\n",
    "unnamed": "from lt_lightning.losses import Loss\nx = undefined\n",
    "script": "import sys\nsys.exit(0)\n",
    "needs": "import a_package_that_is_not_there\n",
    "built": "from lightning.pytorch.strategies import SingleDeviceStrategy\n"
    "class Slow(SingleDeviceStrategy):\n"
    "    def __init__(self, level: int = 1): raise RuntimeError(f'no level {level}')\n",
    "kept": "from lt_lightning.losses import CrossEntropy, Loss\n"
    "from lt_lightning.methods import LongTailModule\n"
    "class LogMargin(CrossEntropy): pass\n"
    "class Whole(Loss):\n    def forward(self, logits, targets): return logits.sum()\n"
    "class Typo(LongTailModule):\n    def trainning_step(self, batch, batch_idx): pass\n",
}
REMEDIES = {
    "unparsed.L": "(invalid syntax (unparsed.py, line 1)): the module unparsed itself ends with",
    "unnamed.L": "the module unnamed itself ends with that NameError, mend it there",
    "script.L": "the module script itself ends with that SystemExit, mend it there",
    "needs.L": "install the package that it comes from, or a_package_that_is_not_there",
    "nowhere.L": "(No module named 'nowhere'): install the package that it comes from",
    "kept.inner.L": "kept is there and has no such module, check the path",
    "kept.LogMargn": "did you mean kept.LogMargin",
    "kept.Anything": "look up what kept calls it",
    "lt_lightning.losses.LDMA": "did you mean lt_lightning.losses.LDAM",
    "__main__.Here": "it was defined in a script, so put it in a module and train again",
}


@pytest.fixture
def modules(site):
    for name, text in MODULES.items():
        (site / f"{name}.py").write_text(text)
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("path", REMEDIES)
def test_the_remedy_is_that_of_the_case(modules, path):
    with pytest.raises(UserError) as told:
        class_path.named(path)
    assert str(told.value).startswith(f"{path} cannot be imported (")
    assert REMEDIES[path] in str(told.value)
    assert str(class_path.trouble(path)) == str(told.value)


@pytest.mark.parametrize("value", [None, "CrossEntropy", "runs/a.b", "0.5", "kept.LogMargin"])
def test_what_names_no_class_or_one_that_is_there_is_no_trouble(modules, value):
    assert class_path.trouble(value) is None


PLACES = ["model", "model.loss", "model.backbone", "data.sampler", "data.source", "data.augment"]


@pytest.mark.parametrize("key", PLACES)
@pytest.mark.parametrize("path", ["unparsed.L", "script.L", "nowhere.L"])
def test_the_command_says_so_wherever_the_class_stands(lt, modules, key, path):
    """Trap: the parser imports it, and ends with the traceback or the exit of the module."""
    given = "" if key == "model" else "--config ce "
    answer = lt(f"fit {given}--config data/digits --{key} {path}")
    assert answer.status == 2
    assert answer.err.startswith(f"lt: {key}: {path} cannot be imported (")
    assert REMEDIES[path] in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "data: {sampler: unparsed.L}",
        "model: {init_args: {loss: unparsed.L}}",
        "data: {augment: {class_path: Compose, init_args: {transforms: [unparsed.L]}}}",
        "data: {samplers: {uniform: {class_path: unparsed.L}}}",
        "trainer: {callbacks: [unparsed.L]}",
    ],
)
def test_so_it_does_of_one_that_a_file_names(lt, modules, text):
    Path("mine.yaml").write_text(text)
    answer = lt("fit --config ce --config data/digits --config mine.yaml")
    assert answer.status == 2
    assert REMEDIES["unparsed.L"] in answer.err
    assert answer.err.count("\n") == 1


def test_a_class_of_the_method_may_stand_before_the_file_that_names_it(lt):
    answer = lt("fit --model.loss BalancedSoftmax --config data/digits --config ce --print_config")
    assert answer.status == 0, answer.err
    assert "class_path: lt_lightning.losses.BalancedSoftmax" in answer.out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("--model kept.Typo", "which has no training_step; its trainning_step may be meant: give"),
        ("--config ce --model.loss kept.Whole", "is kept.Whole, which has no per_sample: write it"),
    ],
)
def test_what_a_class_leaves_unwritten_is_named(lt, modules, given, says):
    answer = lt(f"fit --config data/digits {given}")
    assert answer.status == 2
    assert says in answer.err


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_part_of_the_trainer_that_cannot_be_built_names_its_line(lt, modules, monkeypatch, debug):
    """Trap: where a text may stand too, the parser knows no more than that it is none."""
    monkeypatch.setenv("LT_DEBUG", debug)
    strategy = "--trainer.strategy '{class_path: built.Slow, init_args: {level: 3}}'"
    answer = lt(f"fit --config ce --config data/digits {strategy}")
    assert answer.status == 2
    said = answer.err.splitlines()[-1]
    assert said.startswith("lt: trainer.strategy: built.Slow.__init__ failed in ")
    assert "line 3 (RuntimeError: no level 3): mend it there, LT_DEBUG=1 shows" in said
    assert ("Traceback" in answer.err) == (debug == "1")


def test_a_class_of_the_script_itself_is_warned_of(monkeypatch, caplog):
    """Trap: it trains, and no later command finds it."""
    monkeypatch.setattr(sys.modules["__main__"], "Here", CrossEntropy, raising=False)
    here = type("Here", (CrossEntropy,), {"__module__": "__main__"})
    with caplog.at_level(logging.WARNING, "lt_lightning"):
        assert words({"model.loss": here}) == ["--model.loss=__main__.Here"]
    assert "Here is a class of the script itself" in caplog.text
