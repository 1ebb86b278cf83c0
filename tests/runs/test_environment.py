from importlib.metadata import version

import pytest

from lt_lightning.runs import environment


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (["lt", "fit"], []),
        (["lt", "fit", "--config", "a/bbn.yaml", "-c", "digits.yaml"], ["bbn.yaml", "digits.yaml"]),
        (["lt", "fit", "--config=a/b/ce.yaml", "--config", "x.yaml"], ["ce.yaml", "x.yaml"]),
        (["lt", "fit", "-cx.yaml", "-c=y.yaml"], ["x.yaml", "y.yaml"]),
        (["lt", "fit", "--config"], []),
        (["lt", "fit", "--configs", "x.yaml"], []),
    ],
)
def test_config_names_in_their_order(command, names):
    assert environment.config_names(command) == names


@pytest.mark.parametrize(("text", "seed"), [("7", 7), ("0", 0), ("-3", -3), ("", None)])
def test_training_seed(monkeypatch, text, seed):
    monkeypatch.setenv("PL_GLOBAL_SEED", text)
    assert environment.training_seed() == seed


def test_no_training_seed(monkeypatch):
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    assert environment.training_seed() is None


def test_versions_are_those_of_the_installed_packages():
    found = environment.versions()
    assert found["lightning"] == version("lightning")
    assert set(found) == {"lt_lightning", "torch", "lightning", "torchvision", "python"}


def test_a_package_that_is_absent_has_no_version(monkeypatch):
    def absent(name):
        raise environment.PackageNotFoundError(name)

    monkeypatch.setattr(environment, "version", absent)
    assert environment.versions()["torchvision"] is None


def test_the_processor_has_a_name_without_proc(monkeypatch, tmp_path):
    assert environment._processor()
    monkeypatch.setattr(environment, "Path", lambda _: tmp_path / "absent")
    assert environment._processor()
