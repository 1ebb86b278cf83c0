"""Weights from a file: every tensor of file and network is accounted for."""

import pickle

import pytest
import torch
from torch import nn

from lt_lightning.backbones import TorchvisionBackbone, without_weights
from lt_lightning.backbones.positions import resample
from lt_lightning.backbones.weight_files import read_weights
from lt_lightning.backbones.weights import load_matched, take_weights
from lt_lightning.errors import UserError


class Small(nn.Module):
    """A trunk of two layers with batch norm, and a classifier that may be taken away."""

    def __init__(self, head: bool = True, depth: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
        self.layer = nn.Sequential(*(nn.Linear(4, 4) for _ in range(depth)))
        self.fc = nn.Linear(4, 9) if head else nn.Identity()


def random_state(prefix="", **options):
    torch.manual_seed(7)
    state = Small(**options).state_dict()
    return {prefix + k: v if v.ndim == 0 else torch.randn_like(v) for k, v in state.items()}


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.encoder_q.", "a.b.c."])
def test_any_prefix_is_dropped_and_the_head_is_left(prefix):
    state, network = random_state(prefix), Small(head=False)
    taken = load_matched(network, {**state, "queue": torch.zeros(3)}, "FILE")
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[prefix + name])
    extra = 0 if prefix else 1
    assert (taken.count, taken.total) == (10, 12 + extra)
    assert {"fc.weight", "fc.bias"} <= set(taken.left)
    assert f"took 10 of {12 + extra} tensors; left out: fc.weight, fc.bias" in str(taken)


def test_files_without_counters_of_batch_norm_fit():
    state = {k: v for k, v in random_state().items() if "num_batches" not in k}
    assert load_matched(Small(head=False), state, "FILE").count == 10


def test_a_missing_or_other_tensor_is_refused_with_counts_and_its_name():
    state = random_state()
    del state["layer.1.bias"]
    with pytest.raises(UserError, match=r"FILE does not fit Small: 9 of its 10 .* layer.1.bias"):
        load_matched(Small(head=False), state, "FILE")
    state = random_state() | {"layer.0.weight": torch.zeros(4, 5)}
    with pytest.raises(UserError, match=r"layer.0.weight \(4, 4\) is \(4, 5\) in the file"):
        load_matched(Small(head=False), state, "FILE")


def test_a_deeper_network_is_refused_although_all_of_the_smaller_one_fits():
    with pytest.raises(UserError, match=r"layers that Small has not \(layer.2.weight, layer.2"):
        load_matched(Small(head=False), random_state(depth=3), "FILE")


def test_other_names_fit_by_order_where_kinds_and_shapes_agree():
    state = random_state()
    other = {f"x{i}.{k.rsplit('.')[-1]}": v for i, (k, v) in enumerate(state.items())}
    network = Small(head=False)
    taken = load_matched(network, other, "FILE")
    assert "by their order" in str(taken)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])
    swapped = dict(reversed(other.items()))
    with pytest.raises(UserError, match="0 of its 10 tensors"):
        load_matched(Small(head=False), swapped, "FILE")


@pytest.mark.parametrize("holder", [None, "state_dict", "model", "model_state_dict"])
def test_weights_are_found_where_training_codes_keep_them(tmp_path, holder):
    state = random_state()
    torch.save(state if holder is None else {holder: state, "epoch": 3}, tmp_path / "w.pth")
    assert read_weights(str(tmp_path / "w.pth")).keys() == state.keys()


def test_safetensors_are_read(tmp_path):
    save = pytest.importorskip("safetensors.torch").save_file
    save(random_state(), tmp_path / "w.safetensors")
    found = read_weights(str(tmp_path / "w.safetensors"))
    assert torch.equal(found["fc.bias"], random_state()["fc.bias"])


class Evil:
    def __reduce__(self):
        return print, ("run",)


def damaged(folder, kind):
    file = folder / ("w.safetensors" if kind == "torn_safetensors" else "w.pth")
    if kind == "pickle":
        file.write_bytes(pickle.dumps(Evil()))
    elif kind == "evil":
        torch.save({"state_dict": random_state(), "x": Evil()}, file)
    elif kind == "nan":
        torch.save({"a": torch.tensor([1.0, float("nan")])}, file)
    elif kind == "empty":
        torch.save({"epoch": 3}, file)
    elif kind != "missing":
        file.write_bytes(b"\x00" * 40)
    return str(file)


MISTAKES = {
    "missing": "There is no file of weights",
    "pickle": "carry Python objects|are damaged",
    "evil": "carry Python objects",
    "torn": "are damaged",
    "torn_safetensors": "are damaged|needs the package safetensors",
    "nan": "holds NaN or infinity in a",
    "empty": "holds no weights by name",
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_bad_files_are_told_in_a_sentence(tmp_path, kind, capsys):
    with pytest.raises(UserError, match=MISTAKES[kind]):
        take_weights(Small(), damaged(tmp_path, kind))
    assert capsys.readouterr().out == ""


def test_nothing_is_asked_for_where_a_checkpoint_brings_the_weights(tmp_path):
    with without_weights():
        take_weights(Small(), str(tmp_path / "gone.pth"))
        TorchvisionBackbone("shufflenet_v2_x0_5", weights="DEFAULT")
    with pytest.raises(UserError, match="There is no file"):
        take_weights(Small(), str(tmp_path / "gone.pth"))


def test_positions_keep_their_first_tokens_and_a_plane_stays_a_plane():
    grid = torch.linspace(0, 1, 8)
    plane = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), -1).reshape(1, 64, 2)
    value = torch.cat([torch.full((1, 1, 2), 9.0), plane], dim=1)
    assert torch.equal(resample(value, 65), value)
    small = resample(value, 17)
    assert torch.equal(small[:, :1], value[:, :1])
    square = small[0, 1:].reshape(4, 4, 2)
    torch.testing.assert_close(square[..., 0], square[..., 1].T)
    assert bool((square[1:, :, 0] > square[:-1, :, 0]).all())
    assert resample(value, 18).shape == value.shape, "no square: refused by the shapes later"
