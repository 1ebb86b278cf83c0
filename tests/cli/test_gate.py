"""No word of a config, a run's config.yaml or a checkpoint becomes a call, in any command."""

import re
import shutil

import pytest
import torch
import yaml

from lt_lightning.runs import folder as run_folder

ATTACKS = {
    "system": {"class_path": "os.system", "init_args": {"command": "touch {canary}"}},
    "popen": {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", "{canary}"]}},
    "exec": {"class_path": "builtins.exec", "init_args": {"source": "open('{canary}', 'w')"}},
    "reexported": {
        "class_path": "lightning.pytorch.cli.os.system",
        "init_args": {"command": "touch {canary}"},
    },
    "saves": {"class_path": "torch.save", "init_args": {"obj": 1, "f": "{canary}"}},
    "mkdir": {
        "class_path": "torch.utils.tensorboard.SummaryWriter",
        "init_args": {"log_dir": "{canary}"},
    },
}
PLACES = ("optimizer", "loss", "head", "backbone", "lr_schedule")
COMMANDS = (
    "test {run}",
    "validate {run}",
    "calibrate {run}",
    "predict {run} --images {images} --out out.csv",
    "cam {run} --out added",
    "report {run} --features",
)


def _filled(attack, canary):
    if isinstance(attack, dict):
        return {key: _filled(value, canary) for key, value in attack.items()}
    if isinstance(attack, list):
        return [_filled(value, canary) for value in attack]
    return attack.replace("{canary}", str(canary)) if isinstance(attack, str) else attack


@pytest.fixture(scope="module")
def poisoned(finished, tmp_path_factory):
    """Return a function that copies the run with a word changed in config.yaml or checkpoint."""

    def make(name, attack, canary, where):
        copy = tmp_path_factory.mktemp("poisoned") / "runs" / "x" / "0"
        shutil.copytree(finished, copy)
        if where == "config":
            file = copy / "config.yaml"
            content = yaml.safe_load(file.read_text())
            content["model"]["init_args"][name] = _filled(attack, canary)
            file.write_text(yaml.safe_dump(content))
        else:
            file = run_folder.of_run(str(copy))[1]
            content = torch.load(file, weights_only=True)
            content["hyper_parameters"][name] = _filled(attack, canary)
            torch.save(content, file)
        return copy

    return make


def _check_refused(answer, canary):
    assert not canary.exists()
    assert answer.status in (1, 2), answer.err
    assert "Traceback" not in answer.err
    last = answer.err.strip().splitlines()[-1]
    assert re.match(r"lt: .+\.$", last), answer.err


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_config_cannot_name_a_function(attack, lt, tmp_path, place):
    canary = tmp_path / "canary"
    for name in PLACES[:2]:
        given = {"model": {"init_args": {name: _filled(ATTACKS[attack], canary)}}}
        (tmp_path / "bad.yaml").write_text(yaml.safe_dump(given))
        line = f"fit {place['quick']} --config bad.yaml"
        answer = lt(line)
        _check_refused(answer, canary)
        assert "bad.yaml" in answer.err
        assert not (tmp_path / "runs").exists()
        word = yaml.safe_dump(given["model"]["init_args"][name], default_flow_style=True).strip()
        _check_refused(
            lt(f"fit {place['quick']} --model.{name} '{word.replace(chr(39), chr(34))}'"), canary
        )


# One that builds the model of the checkpoint, and one that builds that of the config.
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=[] if c.startswith(("predict", "test")) else pytest.mark.slow)
        for c in COMMANDS
    ],
)
def test_a_checkpoint_cannot_name_a_function(command, lt, tmp_path, place, poisoned):
    canary = tmp_path / "canary"
    run = poisoned("optimizer", ATTACKS["system"], canary, "checkpoint")
    answer = lt(command.format(run=run, images=place["flat"]))
    # A command that builds the model of the config does not look at these words at all.
    assert not canary.exists()
    if command.split()[0] in ("predict", "cam", "report"):
        _check_refused(answer, canary)
        assert "os.system" in answer.err


def test_the_instantiator_of_a_checkpoint_is_never_called(lt, tmp_path, place, poisoned):
    canary = tmp_path / "canary"
    run = poisoned("_instantiator", "os.system", canary, "checkpoint")
    answer = lt(f"predict {run} --images {place['flat']} --out out.csv")
    _check_refused(answer, canary)
    assert "os.system" in answer.err


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if not c.startswith(("predict", "report"))]
)
def test_the_config_of_a_run_cannot_name_a_function(command, lt, tmp_path, place, poisoned):
    canary = tmp_path / "canary"
    run = poisoned("optimizer", ATTACKS["system"], canary, "config")
    _check_refused(lt(command.format(run=run, images=place["flat"])), canary)


def test_a_teacher_cannot_name_a_function(lt, tmp_path, place, poisoned):
    canary = tmp_path / "canary"
    run = poisoned("loss", ATTACKS["system"], canary, "checkpoint")
    line = (
        f"fit --config {place['configs']}/pseudo_label.yaml {place['digits']} "
        "--model.backbone.depth 8 --model.backbone.width 4 --data.unlabelled LeftOver "
        f"--trainer.accelerator cpu --model.teacher {run}"
    )
    _check_refused(lt(line), canary)


def test_a_callback_cannot_be_given_functions(lt, tmp_path, place):
    word = (
        "[{class_path: lightning.pytorch.callbacks.LambdaCallback, "
        "init_args: {on_fit_start: torch.save}}]"
    )
    _check_refused(lt(f"fit {place['quick']} --trainer.callbacks '{word}'"), tmp_path / "canary")


@pytest.mark.slow
def test_a_function_that_is_the_default_of_a_class_is_no_word_of_the_user(lt, place):
    callback = "--trainer.callbacks BackboneFinetuning"
    answer = lt(f"fit {place['quick']} --name own {callback}")
    assert answer.status == 0, answer.err

    # The config of that run names the function, and is taken; another one is not.
    assert lt("fit --config runs/own/0/config.yaml --name again").status == 0
    answer = lt(f"fit {place['quick']} {callback} --trainer.callbacks.lambda_func torch.hub.load")
    assert answer.status == 2
    assert "lambda_func names torch.hub.load, which is no class" in answer.err


def test_the_base_of_all_methods_is_refused(lt, tmp_path, place):
    answer = lt(place["quick"].replace("--model ERM", "fit --model LongTailModule"))
    _check_refused(answer, tmp_path / "canary")
    (tmp_path / "bad.yaml").write_text("model: {init_args: {compile: false}}")
    answer = lt(place["quick"].replace("--model ERM", "fit --config bad.yaml"))
    _check_refused(answer, tmp_path / "canary")


@pytest.mark.parametrize(
    "place_of",
    [
        "loss",
        *(pytest.param(p, marks=pytest.mark.slow) for p in PLACES if p not in ("loss", "backbone")),
    ],
)
def test_null_is_no_class(place_of, lt, tmp_path, place):
    (tmp_path / "bad.yaml").write_text(f"model: {{init_args: {{{place_of}: }}}}")
    answer = lt(f"fit {place['quick']} --config bad.yaml")
    assert answer.status == 2
    assert f"model.{place_of} is null" in answer.err
