"""A run from a GPU machine is tested on one without."""

import pytest

from lt_lightning.runs.machine import log, without_gpu

ON_CPU = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto"}


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    monkeypatch.setattr(log, "propagate", True)


@pytest.mark.parametrize(
    ("options", "precision"),
    [
        ({"accelerator": "gpu", "devices": 4, "precision": "16-mixed", "strategy": "ddp"}, None),
        ({"accelerator": "auto", "devices": 1, "precision": "16-mixed"}, None),
        ({"accelerator": "cuda", "devices": [0, 1], "precision": "32-true"}, "32-true"),
        ({"accelerator": "auto", "devices": -1, "precision": "32-true"}, "32-true"),
    ],
)
def test_one_cpu_takes_the_place_of_gpus_with_a_word(options, precision, caplog):
    assert without_gpu(options) == {**options, **ON_CPU, "precision": precision}
    assert "made on a GPU" in caplog.text


@pytest.mark.parametrize("accelerator", ["cpu", "auto"])
def test_a_run_of_a_cpu_stays_as_it_is(accelerator, caplog):
    options = {"accelerator": accelerator, "devices": 2, "precision": "bf16-mixed"}
    assert without_gpu(options) == options
    assert not caplog.text


def test_a_gpu_that_is_there_is_used(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    options = {"accelerator": "gpu", "devices": 4}
    assert without_gpu(options) == options
