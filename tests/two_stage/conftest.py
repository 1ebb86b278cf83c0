import pytest


@pytest.fixture(autouse=True)
def _seed_is_given_back(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # where Lightning keeps the seed of the run
