"""Classes of other packages by the names of their entry points."""

import os
import sys
from pathlib import Path

import pytest
from jsonargparse import Namespace
from lt_runs import run
from packages import install, site

from lt_lightning.cli.words import namesakes, outside
from lt_lightning.errors import Refused

__all__ = ["site"]  # a fixture

ROOT = Path(__file__).parents[2]
CE = f"--config {ROOT / 'configs' / 'ce.yaml'} --print_config"
EXAMPLE = ROOT / "examples" / "my_method"
FIVE = '''
from lt_lightning import backbones, data, losses, methods, samplers

class OneMethod(methods.ERM):
    """Does as ERM does,
    and says so.

    More."""

class OneLoss(losses.CrossEntropy):
    """Is cross-entropy."""

class OneSampler(samplers.ClassBalanced):
    """Is class-balanced."""

class OneBackbone(backbones.ResNetCIFAR):
    """Is a ResNet."""

class OneSource(data.Digits):
    pass
'''
NAMES = {
    "methods": "OneMethod",
    "losses": "OneLoss",
    "samplers": "OneSampler",
    "backbones": "OneBackbone",
    "sources": "OneSource",
}
GOOD = {group: {name: f"five:{name}"} for group, name in NAMES.items()}
LOSS = "from lt_lightning.losses import CrossEntropy\nclass {name}(CrossEntropy):\n    'A loss.'\n"


def test_names_of_another_package_are_known_as_ours_are(lt, site):
    install(site, "five-package", GOOD, five=FIVE)
    file = site / "own.yaml"
    file.write_text("data: {source: {class_path: OneSource}, sampler: OneSampler}\n")
    given = "--model OneMethod --model.loss OneLoss --model.backbone OneBackbone"

    answer = lt(f"fit {CE} --config {file} {given} --model.loss.reduction none")

    assert (answer.status, answer.err) == (0, "")
    for name in NAMES.values():
        assert f"class_path: five.{name}" in answer.out
    assert "reduction: none" in answer.out
    assert "Help for --model.help=five.OneMethod" in lt("fit --model.help OneMethod").out


def test_they_are_listed_with_docstring_and_package(lt, site):
    install(site, "five-package", GOOD, five=FIVE)

    answer = lt("methods")

    assert (answer.status, answer.err) == (0, "")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    place = lines.index("OneMethod Does as ERM does, and says so.")
    assert lines[place + 1] == "five.OneMethod, of the package five-package"
    sections = [k for k, line in enumerate(lines) if line.startswith(("Methods (", "Losses and"))]
    assert sections[0] < place < sections[1]
    assert "OneSource Without a docstring." in lines
    assert "not to be used" not in answer.out


def test_nothing_is_read_or_imported_that_is_not_named(lt, site, monkeypatch):
    install(site, "quiet", {"losses": {"UnaskedLoss": "unasked:UnaskedLoss"}}, unasked="1 / 0")

    answer = lt(f"fit {CE} --model.loss LDAM --name unasked")
    assert (answer.status, answer.err) == (0, "")
    assert "unasked" not in sys.modules

    monkeypatch.setattr("lt_lightning.cli.words.outside.distributions", lambda: 1 / 0)
    assert lt("--help").status == 0
    assert lt("report --help").status == 0


def test_what_cannot_be_imported_is_named_where_it_is_used_and_listed(lt, site):
    install(site, "torn", {"losses": {"TornLoss": "torn:TornLoss"}}, torn="import not_installed")
    why = (
        "the entry point TornLoss of torn (lt_lightning.losses) does not work, torn.TornLoss "
        "cannot be imported (No module named 'not_installed'): install the package that it comes "
        "from, or not_installed."
    )

    for more in ("", " --model.loss.reduction none"):
        answer = lt(f"fit {CE} --model.loss TornLoss{more}")
        assert (answer.status, answer.err) == (2, f"lt: model.loss is 'TornLoss': {why}\n")
    answer = lt("fit --model.help TornLoss")
    assert (answer.status, answer.err.endswith(f"--model.help: {why}\n")) == (2, True)
    assert why in lt("methods").out
    # A value that only happens to be that name.
    assert lt(f"fit {CE} --name TornLoss").status == 0


@pytest.mark.parametrize(
    ("group", "name", "value", "key", "says"),
    [
        ("losses", "Made", "odd:made", "model.loss", "names odd.made, which is no class: give a"),
        ("losses", "Rule", "odd:Rule", "model.loss", "no class for it: give a subclass of Loss or"),
        ("methods", "Idle", "odd:Idle", "model", "has no training_step: write it"),
        ("samplers", "join", "os.path:join", "data.sampler", "is of Python itself and is never"),
        ("losses", "Alias", "odd:Real", "model.loss", "names the class Real: declare it under"),
        ("losses", "Bare", "odd", "model.loss", "'odd' is no class path"),
        ("loss", "Stray", "odd:Stray", "model.loss", "did you mean lt_lightning.losses?"),
        (
            "losses",
            "Hidden",
            "an.other:Hidden",
            "model.loss",
            "private module an._inner: import it",
        ),
    ],
    ids=["function", "base", "abstract", "python", "alias", "module", "group", "private"],
)
def test_the_gate_is_as_strict_as_for_a_path(lt, site, group, name, value, key, says):
    odd = LOSS.format(name="Real") + (
        "from lt_lightning.engine.base import LongTailModule\n"
        "from lt_lightning.samplers import ClassBalanced\n"
        "def made(): raise SystemExit(7)\nclass Rule(ClassBalanced): pass\n"
        "class Idle(LongTailModule): pass\n"
    )
    hidden = {"an/_inner": LOSS.format(name="Hidden"), "an/other": "from an._inner import Hidden"}
    install(site, "odd-package", {group: {name: value}}, odd=odd, **hidden)

    answer = lt(f"fit {CE.replace('--print_config', '')} --{key} {name}")

    assert answer.status == 2
    assert answer.err.startswith(f"lt: {key} is ")
    assert name in answer.err
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert says in lt("methods").out


def test_a_name_of_two_packages_is_refused(lt, site):
    for number in ("first", "second"):
        points = {"losses": {"TwiceLoss": f"{number}:TwiceLoss"}}
        install(site, f"{number}-package", points, **{number: LOSS.format(name="TwiceLoss")})

    answer = lt(f"fit {CE} --model.loss TwiceLoss")

    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "model.loss is 'TwiceLoss', the name of " in answer.err
    assert "first.TwiceLoss" in answer.err
    assert "second.TwiceLoss" in answer.err
    listed = lt("methods").out
    assert "TwiceLoss of first-package (lt_lightning.losses) has the name of second.Twi" in listed
    assert lt(f"fit {CE} --model.loss second.TwiceLoss").status == 0


@pytest.mark.slow
def test_a_name_of_ours_is_refused(site):
    install(site, "same", {"losses": {"LDAM": "same:LDAM"}}, same=LOSS.format(name="LDAM"))
    path = os.pathsep.join([str(site), str(ROOT)])

    answer = run(f"fit {CE} --model.loss LDAM".split(), site, PYTHONPATH=path)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "model.loss is 'LDAM', the name of " in answer.err
    assert "lt_lightning.losses.LDAM" in answer.err
    assert "same.LDAM" in answer.err
    listed = run(["methods"], site, PYTHONPATH=path).out
    assert "LDAM of same (lt_lightning.losses) has the name of lt_lightning.losses.LDAM" in listed
    path_of_ours = f"fit {CE} --model.loss lt_lightning.losses.LDAM".split()
    assert run(path_of_ours, site, PYTHONPATH=path).status == 0


OTHER = LOSS.format(name="Other")


@pytest.mark.parametrize("given", ["--model.loss LDAM", "--config own.yaml"])
def test_a_name_of_ours_for_a_class_called_otherwise_is_refused(lt, site, given):
    install(site, "claims", {"losses": {"LDAM": "claims:Other"}}, claims=OTHER)
    Path("own.yaml").write_text("model: {init_args: {loss: {class_path: LDAM}}}\n")
    cosine = "--model.head CosineHead --model.head.scale 30"

    answer = lt(f"fit {CE.replace('--print_config', '')} {given} {cosine}")

    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert (
        "model.loss is 'LDAM', the name of lt_lightning.losses.LDAM and of claims.Other (the entry "
        "point LDAM of claims (lt_lightning.losses)): write the path of the one you mean."
    ) in answer.err


def test_only_a_bare_name_in_place_of_a_class_is_doubtful(site):
    install(site, "claims", {"losses": {"LDAM": "claims:Other"}}, claims=OTHER)
    ours = Namespace(model=Namespace(loss=Namespace(class_path="lt_lightning.losses.LDAM")))

    for words in (
        ["--name", "LDAM", "--model.loss", "lt_lightning.losses.LDAM"],
        ["--model.loss=LDAM", "--model.loss=lt_lightning.losses.LDAM"],  # the last one counts
    ):
        doubtful = outside.take(words)
        assert [point.path for point in doubtful] == ["claims.Other"]
        namesakes.check(words, ours, doubtful)
    with pytest.raises(Refused):
        namesakes.check(["--model.loss=LDAM"], ours, doubtful)


def test_a_misspelt_name_of_another_package_is_guessed(lt, site):
    install(site, "five-package", GOOD, five=FIVE)

    assert "did you mean 'OneLoss'?" in lt(f"fit {CE} --model.loss OneLos").err
    assert "OneSampler is listed under Samplers" in lt(f"fit {CE} --model.loss OneSampler").err


def test_the_example_declares_all_that_it_exports(monkeypatch):
    toml = pytest.importorskip("tomllib", reason="of Python 3.11")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    declared = toml.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"][
        "entry-points"
    ]
    import my_method

    points = [
        outside.Outside(group.removeprefix(outside.PREFIX), name, value.replace(":", "."), "it")
        for group, names in declared.items()
        for name, value in names.items()
    ]
    assert sorted(point.load().__name__ for point in points) == sorted(my_method.__all__)
