"""Environment variables that are no numbers end in one sentence, before torch is loaded."""

import pytest

from lt_lightning.cli import main
from lt_lightning.runs import numbers


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "²", "9" * 5000, " 1", "0x1"])
@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "SLURM_PROCID", "SLURM_RESTART_COUNT"])
def test_no_number_is_refused(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    assert main(["test", "nowhere"]) == 2
    said = capsys.readouterr().err
    assert f"The environment variable {name} is " in said
    assert said.count("\n") == 1
    assert len(said) < 250


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("MASTER_PORT", "65536", "65535"),
        ("PL_GLOBAL_SEED", "none", "-3"),
        ("OMP_NUM_THREADS", "4,", "4,2"),
        ("TORCHELASTIC_RESTART_COUNT", "two", "2"),
        ("WORLD_SIZE", "1e1", "10"),
    ],
)
def test_each_has_its_form(monkeypatch, name, bad, good):
    monkeypatch.setenv(name, good)
    numbers.check()
    monkeypatch.setenv(name, bad)
    with pytest.raises(numbers.Refused):
        numbers.check()


def test_a_store_without_an_address(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(numbers.Refused) as refused:
        numbers.check()
    assert "MASTER_ADDR is not" in refused.value.sentence
