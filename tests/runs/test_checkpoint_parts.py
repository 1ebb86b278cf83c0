"""Each part of a checkpoint, missing or of another kind, is refused by name, and nothing hangs."""

import os
import zipfile

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import DATA_STATE, EPOCH_SUMS, RECORD, read

MISSING = object()
NOT_EVEN_FOR_A_TEST = ("state_dict", "hyper_parameters", "epoch", "global_step")


def sound():
    """Return what `lt fit` writes, with a network of one weight."""
    return {
        "state_dict": {"head.weight": torch.ones(2, 2)},
        "hyper_parameters": {
            "_class_path": "lt_lightning.methods.ERM",
            "_instantiator": "lightning.pytorch.cli.instantiate_module",
            "class_counts": [3, 1],
            "class_names": ["a", "b"],
            "groups": {"many": [0], "few": [1]},
        },
        "epoch": 0,
        "global_step": 2,
        "pytorch-lightning_version": "2.6.0",
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 0.1, "params": [0]}]}],
        "lr_schedulers": [{"last_epoch": 1}],
        "loops": {"fit_loop": {}},
        "callbacks": {"RunRecord": {"seconds": 1.0}},
        DATA_STATE: {
            "fingerprint": "1234",
            "image_size": 8,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.2, 0.2, 0.2],
        },
    }


def endless():
    """Return a list that holds itself."""
    found = []
    found.append(found)
    return found


def bomb(depth=30):
    """Return lists of which each holds the next one twice."""
    found = []
    for _ in range(depth):
        found = [found, found]
    return found


@pytest.fixture
def wrote(tmp_path):
    """Return a function that writes a checkpoint in which one part is another."""

    def write(key="", value=None):
        content = sound()
        *above, name = key.split("/")
        place = content
        if above == [RECORD]:
            content[RECORD] = {}
        for part in above:
            place = place[part]
        if value is MISSING:
            del place[name]
        elif key:
            place[name] = value
        torch.save(content, tmp_path / "x.ckpt")
        return tmp_path / "x.ckpt"

    return write


def test_a_sound_one_is_read(wrote):
    assert read(wrote(), to_resume=True)["global_step"] == 2


@pytest.mark.parametrize("key", sound())
def test_each_part_is_refused_by_name(wrote, key):
    for value in (MISSING, None, -1, "x", [1], {1: 2}, {"a": "b"}, torch.zeros(2)):
        with pytest.raises(UserError, match=key):
            read(wrote(key, value), to_resume=True)


@pytest.mark.parametrize("key", NOT_EVEN_FOR_A_TEST)
def test_a_test_needs_less_of_it(wrote, key):
    assert read(wrote("loops", MISSING))["epoch"] == 0
    with pytest.raises(UserError, match=key):
        read(wrote(key, MISSING))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("state_dict/head.weight", "x", "head.weight is no tensor"),
        ("state_dict/head.weight", torch.ones(2, 2, dtype=torch.complex64), "complex64"),
        ("state_dict/head.weight", torch.ones(1).expand(10**9), "more numbers than the file"),
        ("state_dict", {}, "state_dict"),
        ("hyper_parameters/_instantiator", "os.system", "os.system"),
        ("hyper_parameters/_class_path", 3, "_class_path is 3"),
        ("hyper_parameters/class_counts", MISSING, "class_counts"),
        ("hyper_parameters/class_counts", [], "class_counts"),
        ("hyper_parameters/class_counts", ["a", "b"], "class_counts"),
        ("hyper_parameters/class_names", ["a"], "2 class_counts but 1 names"),
        ("hyper_parameters/groups", {"many": [7]}, "groups.many"),
        ("hyper_parameters/head", endless(), "or itself"),
        ("hyper_parameters/head", bomb(), "or itself"),
        ("hyper_parameters/head", 2**70, "whole number"),
        (f"{DATA_STATE}/fingerprint", 7, "fingerprint"),
        (f"{DATA_STATE}/image_size", 10**9, "image_size"),
        (f"{DATA_STATE}/mean", [0.1], "mean"),
        (f"{DATA_STATE}/std", [0.1, 0.0, 0.1], "std"),
        (f"{DATA_STATE}/std", MISSING, "std"),
        (RECORD, [True], f"{RECORD} is no mapping"),
        (f"{RECORD}/test_seen_during_training", "no", "test_seen_during_training"),
        (f"{RECORD}/oracle", 0, "oracle"),
        (f"{RECORD}/chosen_by", ["best"], "chosen_by"),
        (f"{RECORD}/built_on", None, "built_on"),
        (f"{RECORD}/training", {"evaluations": {}}, "training is no record"),
        (f"{RECORD}/training", {"data": [1]}, "training is no record"),
        ("lt_trained_epochs", "x", "lt_trained_epochs"),
        ("optimizer_states", [], "optimizer_states"),
        ("optimizer_states", [{"state": {}, "param_groups": []}], "optimizer_states"),
        ("pytorch-lightning_version", "0.1", "pytorch-lightning_version"),
    ],
)
def test_what_is_inside_is_looked_at(wrote, key, value, says):
    with pytest.raises(UserError, match=says) as caught:
        read(wrote(key, value), to_resume=True)
    assert str(caught.value).count("\n") == 0


TOTALS = {"epoch": 1, "count": 64, "sums": {"loss": 200.5}}  # of an earlier version
LOSS = (torch.tensor(200.5), 64)


@pytest.mark.parametrize(
    "sums", [TOTALS, {"epoch": 1, "processes": [{"loss": LOSS}, {"loss": list(LOSS)}]}]
)
def test_the_sums_of_an_unfinished_epoch_are_read(wrote, sums):
    assert read(wrote(EPOCH_SUMS, sums), to_resume=True)[EPOCH_SUMS]["epoch"] == 1


@pytest.mark.parametrize(
    "sums",
    [
        *(None, 3, [LOSS], {}, {"epoch": 1}, {**TOTALS, "epoch": "1"}),
        *({**TOTALS, "count": -1}, {**TOTALS, "sums": {"loss": "x"}}, {**TOTALS, "sums": [1.0]}),
        *({"epoch": 1, "processes": parts} for parts in (None, [], [LOSS], [{"loss": 1.0}])),
        *(
            {"epoch": 1, "processes": [{"loss": LOSS}, {"loss": pair}]}
            for pair in (
                *((LOSS[0],), (200.5, 64), (LOSS[0], -1), (LOSS[0], 64.0), (torch.ones(2), 64)),
                *((torch.tensor(2), 64), (torch.tensor(2, dtype=torch.complex64), 64)),
            )
        ),
    ],
)
def test_other_sums_are_refused_by_name(wrote, sums):
    with pytest.raises(UserError, match=EPOCH_SUMS):
        read(wrote(EPOCH_SUMS, sums), to_resume=True)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["byte", "empty", "pipe", "device", "folder", "bomb"])
def test_what_is_no_file_of_torch_is_answered_at_once(tmp_path, kind):
    path = tmp_path / "x.ckpt"
    if kind == "byte":
        path.write_bytes(b"x")
    elif kind == "empty":
        path.touch()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "bomb":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", bytes(30_000_000))
    with pytest.raises(UserError, match=r"x\.ckpt"):
        read(path)
