"""The gate between the words of a file and objects."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import nn

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import Refused, UserError
from lt_lightning.losses import LDAM, CrossEntropy, Loss
from lt_lightning.methods import ERM, LongTailModule
from lt_lightning.runs import class_path, gate, signals
from lt_lightning.runs.class_path import look
from lt_lightning.runs.hints import bases, items, parameters, takes_null

Optimizers = Callable[[Any], torch.optim.Optimizer]
Losses = Callable[[torch.Tensor], Loss]
SGD = "torch.optim.SGD"
LAMBDA = "lightning.pytorch.callbacks.LambdaCallback"


def _class(path, **given):
    return {"class_path": path, "init_args": given}


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        (_class("os.system", command="true"), Optimizers, "of Python itself"),
        (_class("subprocess.Popen", args=["true"]), Optimizers, "of Python itself"),
        (_class("builtins.eval", source="1"), Losses, "of Python itself"),
        (_class("torch.save"), Optimizers, "no class"),
        (_class("torch.nn.functional.relu"), Losses, "no class"),
        (_class("torch.nn.Linear", in_features=1), Losses, "no class for it"),
        (_class("lt_lightning.losses.LDAM"), Optimizers, "no class for it"),
        (_class("torch.optim.lr_scheduler.LambdaLR"), Optimizers, "no class for it"),
        (_class("nowhere.at.all.Thing"), Losses, "cannot be imported"),
        (_class("lt_lightning.losses.Nothing"), Losses, "cannot be imported"),
        (_class("relu"), Losses, "no class path"),
        (_class("lt_lightning..LDAM"), Losses, "no class path"),
        (_class("lt_lightning.losses.base.Loss"), Losses, "base of its kind"),
        (_class("lt_lightning.methods.LongTailModule"), LongTailModule, "base of its kind"),
        (torch.save, Optimizers, "no class"),
        (torch.optim.SGD, Losses, "no class for it"),
        (torch, Losses, "no class"),
        (_class(SGD, lr=2**63), Optimizers, "at most 64 bits"),
        (_class(SGD, lr=float("nan")), Optimizers, "finite"),
        (_class(SGD, foreach="\udcff"), Optimizers, "UTF-8"),
        (_class("lt_lightning.losses.LDAM", max_margin=None), Losses, "max_margin is null"),
        (
            [_class(LAMBDA, on_fit_start=torch.save)],
            parameters(Trainer)["callbacks"][0],
            "no class",
        ),
        (
            [_class(LAMBDA, on_fit_start=_class("torch.nn.ReLU"))],
            parameters(Trainer)["callbacks"][0],
            "no class can stand there",
        ),
        ([_class(SGD)], parameters(Trainer)["callbacks"][0], "no class for it"),
        (_class(SGD), parameters(Trainer)["strategy"][0], "no class for it"),
        ({"a": _class(SGD)}, parameters(LongTailDataModule)["samplers"][0], "no class for it"),
        ({"a": None}, parameters(LongTailDataModule)["views"][0], "null"),
        (None, Losses, "null"),
    ],
)
def test_what_is_no_class_for_its_place_is_refused(value, hint, words):
    with pytest.raises(Refused) as refused:
        gate.check("model.thing", value, hint)
    assert words in refused.value.sentence
    assert refused.value.sentence.startswith("model.thing")
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (_class(SGD, lr=0.1), Optimizers),
        (_class("lt_lightning.losses.LDAM", max_margin=0.5), Losses),
        (CrossEntropy, Losses),
        (None, Losses | None),
        (3, int),
        ({"x": {"class_path": "os.system"}}, Any),  # stays a mapping: nothing is built from it
    ],
)
def test_what_fits_its_place_passes(value, hint):
    gate.check("model.thing", value, hint)


def test_a_function_passes_as_the_default_of_its_own_class_alone():
    from lightning.pytorch.callbacks.finetuning import multiplicative

    hint = parameters(Trainer)["callbacks"][0]
    finetuning = "lightning.pytorch.callbacks.BackboneFinetuning"
    gate.check("callbacks", _class(finetuning, lambda_func=multiplicative), hint)

    def same(epoch: int) -> float:
        return multiplicative(epoch)

    for value in (
        _class(finetuning, lambda_func=same),
        _class(finetuning, lambda_func=torch.hub.load),
        _class(LAMBDA, on_fit_start=multiplicative),
        {**_class(finetuning), "dict_kwargs": {"lambda_func": multiplicative}},
    ):
        with pytest.raises(Refused) as refused:
            gate.check("callbacks", value, hint)
        assert "functions are never taken" in refused.value.sentence


def test_a_key_that_gets_its_value_later_may_be_null():
    value = _class("lt_lightning.methods.ERM", class_counts=None)
    gate.check("model", value, LongTailModule, {"model.class_counts"})
    with pytest.raises(Refused, match="2"):
        gate.check("model", value, LongTailModule)


def test_build_makes_a_subclass_and_nothing_else():
    method = "lt_lightning.methods.ERM"
    made = gate.build("model", LongTailModule, method, {"class_counts": [3, 2, 1]})
    assert type(made) is ERM
    with pytest.raises(UserError, match="no class for it"):
        gate.build("model", LongTailModule, SGD, {})
    with pytest.raises(UserError, match="of Python itself"):
        gate.build(
            "model", LongTailModule, method, {"class_counts": [3], "loss": _class("os.system")}
        )
    with pytest.raises(UserError, match="nonsense"):
        gate.build("model", LongTailModule, method, {"class_counts": [3, 2], "nonsense": 1})
    with pytest.raises(UserError):
        gate.build("model", LongTailModule, method, {"class_counts": "many"})


def test_a_raw_file_is_looked_through_at_any_depth():
    deep = {"model": {"init_args": {"a": [{"b": {"class_path": "os.system"}}]}}}
    with pytest.raises(Refused) as refused:
        look(deep)
    assert refused.value.sentence.startswith("model.a.b")
    look({"model": {"class_path": "ERM", "init_args": {"loss": {"class_path": "LDAM"}}}})


def test_hints_say_what_a_signature_says():
    found = parameters(ERM)
    assert bases(found["loss"][0]) == (Loss,)
    assert bases(found["head"][0]) == (nn.Module,)
    assert takes_null(found["mixing"][0])
    assert not takes_null(found["loss"][0])
    assert found["channels_last"] == (bool, True)  # of the base, behind **kwargs
    assert parameters(LDAM)["max_margin"][0] is float
    assert bases(items(parameters(LongTailDataModule)["samplers"][0]))[0].__name__ == "SamplingRule"


def test_a_number_of_thousands_of_digits_is_told_by_their_number():
    with pytest.raises(Refused) as refused:
        gate.check("seed", [{"a": 10**5000}], Any)
    assert "seed[0].a is a number of some 5001 digits" in refused.value.sentence
    gate.check("seed", {"a": 2**63 - 1, "b": 1e300}, Any)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_an_import_ends_the_command(tmp_path, monkeypatch, number):
    (tmp_path / "interrupted.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with signals.taken(), pytest.raises(signals.Stopped) as stop:
        class_path.named("interrupted.Thing")
    assert stop.value.code == 128 + number


def test_an_import_that_ends_the_program_is_one_that_fails(tmp_path, monkeypatch):
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=r"leaving\.Thing cannot be imported \(3\): the module"):
        class_path.named("leaving.Thing")
