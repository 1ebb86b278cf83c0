"""A pre-training and its run in one command, on two processes: killed in either and resumed."""

import signal

import lt_killed
import pytest
from lt_runs import CONFIGS, STEPS, assert_same, assert_same_end, checkpoint, results, run, tiny

pytestmark = pytest.mark.distributed
KILLED = (lt_killed.__file__,)
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
OPTIONS = "trainer.max_epochs=2 data.batch_size=32 data.drop_last=true"


def arguments(*more):
    """Return the arguments of 2 epochs of pre-training and 3 of the run, of 10 steps each."""
    file = str(CONFIGS / "ssp_rotation.yaml")
    return tiny("ce", *TWO, "--pretrain.config", file, "--pretrain.options", OPTIONS, *more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    answer = run(arguments(), folder)
    assert answer.status == 0, answer.err
    assert answer.err.count("took all") == 1
    return folder / "runs" / "run" / "0"


def test_both_ran_on_two_processes(whole):
    for folder, epochs in ((whole / "pretrain", 2), (whole, 3)):
        assert results(folder)["hardware"]["processes"] == 2
        assert checkpoint(folder)["global_step"] == epochs * STEPS


@pytest.mark.parametrize("step", [13, 33], ids=["in the pre-training", "in the run"])
def test_killed_and_resumed(step, tmp_path, whole):
    cut = run(arguments(), tmp_path, KILLED, DIE_IN_STEP=str(step))
    assert cut.status in (-signal.SIGKILL, 1)
    rest = run([*arguments(), "--ckpt_path", "last"], tmp_path)
    assert rest.status == 0, rest.err
    folder = tmp_path / "runs" / "run" / "0"
    assert [p.name for p in folder.parent.iterdir()] == ["0"]
    assert_same_end(folder / "pretrain", whole / "pretrain")
    assert_same_end(folder, whole)


def test_two_commands_are_the_same(tmp_path, whole):
    given = ("--model.backbone_init", str(whole / "pretrain"))
    answer = run(tiny("ce", *TWO, *given), tmp_path)
    assert answer.status == 0, answer.err
    second = checkpoint(tmp_path / "runs" / "run" / "0")
    assert_same(second["state_dict"], checkpoint(whole)["state_dict"])
