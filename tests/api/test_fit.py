"""`lt_lightning.fit`: it goes the way of `lt fit`, and leaves the same."""

import signal
import subprocess
import sys

import pytest
from lt_runs import assert_same_end
from small_options import OPTIONS

import lt_lightning as lt
from lt_lightning.api.options import words
from lt_lightning.losses import LDAM, CrossEntropy
from lt_lightning.runs.signals import Stopped


def test_the_run_is_that_of_the_command(fitted):
    run, command = fitted
    assert_same_end(run.folder, command)
    written = [(folder / "config.yaml").read_text("utf-8") for folder in (run.folder, command)]
    assert written[0].replace("name: api", "name: command") == written[1]
    assert run.results.content["command"][:4] == ["lt", "fit", "--config", "ce"]
    assert run.results.content["config"] == ["ce.yaml", "digits.yaml"]


def test_a_finished_run_is_returned_as_it_is(fitted, at_home, monkeypatch):
    run, _ = fitted
    monkeypatch.chdir(run.folder.parents[2])
    before = (run.folder / "results.json").read_bytes()
    again = lt.fit(["ce", "data/digits"], name="api", ckpt_path="last", **OPTIONS)
    assert again.folder.resolve() == run.folder
    assert (run.folder / "results.json").read_bytes() == before


@pytest.mark.parametrize(
    ("config", "options", "says"),
    [
        ("bnb", {}, "The config file bnb does not exist; did you mean bbn?"),
        ("ce", {"trainer": {"max_epoch": 1}}, "'trainer.max_epoch': did you mean 'trainer.max_ep"),
        ("ce", {"model__loss": "LDMA"}, "model.loss is 'LDMA': did you mean 'LDAM'?"),
        ("ce", {"model__loss": CrossEntropy([1])}, "model.loss is an object of CrossEntropy: give"),
        ("ce", {"model": {"loss": "LDAM"}, "model__loss": "ALA"}, "model.loss is given twice"),
        ("ce", {"print_config": "skip_null"}, "lt fit ended with status 0 and trained nothing"),
        ("ce", {"--trainer": 1}, "'--trainer' is no option"),
        ("ce", {"data__source": "ImageFolder", "data__root": "none"}, "none"),
        (None, {}, "config is 'None': give the name of a config"),
        ({"model": "ERM"}, {}, "give the name of a config"),
        (["ce", 3], {}, "give the name of a config"),
        ("ce", {"ckpt_path": "nowhere"}, "There is no run nowhere"),
    ],
)
def test_a_mistake_is_an_exception_with_the_sentence(at_home, config, options, says):
    with pytest.raises(lt.UserError) as caught:
        lt.fit(config, **options)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (at_home / "runs").exists()


def test_a_trial_leaves_no_run(at_home):
    options = {**OPTIONS, "trainer": {**OPTIONS["trainer"], "fast_dev_run": True}}
    with pytest.raises(lt.UserError, match=r"take out trainer\.fast_dev_run"):
        lt.fit(["ce", "data/digits"], **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_goes_on_to_the_program(at_home, monkeypatch, number):
    def stop(arguments):
        raise Stopped(number)

    came = []
    monkeypatch.setattr("lt_lightning.api.training.execute", stop)
    before = signal.signal(number, lambda number, frame: came.append(number))
    try:
        with pytest.raises(lt.UserError, match=r"stopped|interrupted"):
            lt.fit("ce")
    finally:
        signal.signal(number, before)
    assert came == [number]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"trainer": {"max_epochs": 3}}, ["--trainer.max_epochs=3"]),
        ({"trainer__max_epochs": 3}, ["--trainer.max_epochs=3"]),
        ({"trainer.max_epochs": 3}, ["--trainer.max_epochs=3"]),
        ({"trainer": {"a__b": True, "c.d": None}}, ["--trainer.a.b=true", "--trainer.c.d=null"]),
        ({"model__loss": LDAM}, ["--model.loss=lt_lightning.losses.LDAM"]),
        (
            {"model": {"class_path": "BBN", "init_args": {"loss": {"class_path": "ALA"}}}},
            ["--model=BBN", "--model.loss=ALA"],
        ),
        ({"a": {"class_path": "A", "dict_kwargs": {"x": -1}}}, ["--a=A", "--a.x=-1"]),
        ({"rates": {0: 0.1, 160: 1e-5}}, ['--rates={"0": 0.1, "160": 1e-05}']),
        ({"callbacks": [{"class_path": "A"}]}, ['--callbacks=[{"class_path": "A"}]']),
        ({"name": "1", "empty": {}}, ["--name=1", "--empty={}"]),
    ],
)
def test_options_become_words(options, wanted):
    assert words(options) == wanted


PROBE = """
import sys
import lt_lightning as lt
assert set(lt.__all__) <= set(dir(lt))
heavy = {"torch", "lightning", "numpy", "jsonargparse", "yaml", "importlib.metadata"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
try:
    lt.nothing
except AttributeError as error:
    assert "lt_lightning" in str(error)
else:
    raise AssertionError
"""


def test_the_import_loads_nothing():
    subprocess.run([sys.executable, "-c", PROBE], check=True)


def test_every_public_name_is_there():
    for name in lt.__all__:
        assert getattr(lt, name).__name__ == name
        assert getattr(lt, name).__doc__
