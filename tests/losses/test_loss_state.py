"""What every public loss keeps: its tables, their precision, its checkpoint, its copies."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from lt_lightning.losses import InverseFrequency

OTHER = (800, 7, 30, 200, 2, 11)  # as many groups of sizes as in COUNTS


def test_loaded_checkpoint_overrules_the_counts_it_was_built_from(case, given):
    first = case.build(weights=InverseFrequency(power=0.7))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = case.build(OTHER, weights=given())
    batch = case.batch()
    second.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(case.value(second, batch), case.value(first, batch))
    assert torch.equal(second.predict_logits(batch.logits), first.predict_logits(batch.logits))
    for loss in (first, second):
        loss.set_weights(InverseFrequency())
    assert torch.equal(second.weight, first.weight)


def test_other_counts_make_another_loss_unless_only_their_groups_are_used(case):
    """The load test above would prove nothing if the counts had no effect."""
    batch = case.batch()
    first, second = (case.build(c, weights=InverseFrequency()) for c in ((500, *OTHER[1:]), OTHER))
    assert not torch.equal(first.weight, second.weight)
    assert not torch.equal(case.value(first, batch), case.value(second, batch))


def test_half_model_keeps_wide_tables(case):
    loss, batch = case.build(), case.batch()
    value = case.value(loss, batch)
    for narrow in (torch.float16, torch.bfloat16):
        model = nn.ModuleDict({"head": nn.Linear(2, 2), "loss": copy.deepcopy(loss)}).to(narrow)
        assert model["head"].weight.dtype == narrow
        for name, table in model["loss"].named_buffers():
            assert table.dtype in (torch.float32, torch.int64), name
        assert torch.equal(case.value(model["loss"], batch), value)
    assert case.build().half().weight.dtype == torch.float32
    assert case.build().bfloat16().weight.dtype == torch.float32


def test_double_model_has_double_values_close_to_single_ones(case):
    single = case.value(case.build(), case.batch())
    double = case.value(case.build().double(), case.batch(dtype=torch.float64))
    assert double.dtype == torch.float64
    assert double.item() == pytest.approx(single.item(), rel=1e-5)


def test_every_tensor_moves_with_the_module(case):
    loss = case.build().to("meta")
    held = {name for name, value in vars(loss).items() if isinstance(value, torch.Tensor)}
    assert not held, "a tensor that is no buffer stays behind"
    assert {table.device.type for table in loss.buffers()} == {"meta"}
    assert set(loss.state_dict()) == {name for name, _ in loss.named_buffers()}
    assert not list(loss.parameters())


def test_copies_and_pickles_have_the_same_value(case, given):
    loss, batch = case.build(weights=given()), case.batch()
    value = case.value(loss, batch)
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert torch.equal(case.value(twin, batch), value)
        twin.set_weights(None)
        assert torch.equal(case.value(loss, batch), value), "the copy shares its weights"


def test_counts_given_are_not_changed_later(case):
    counts = torch.tensor([500, 9, 37, 120, 1, 60])
    loss = case.build(counts)
    counts.zero_()
    assert loss.class_counts.tolist() == [500, 9, 37, 120, 1, 60]


@pytest.mark.gpu
def test_value_on_a_gpu_is_that_of_a_cpu(case):
    loss, batch = case.build(), case.batch()
    value = case.value(loss, batch)
    moved = type(batch)(batch.logits.cuda(), batch.targets.cuda(), batch.features.cuda())
    loss.cuda()
    for enabled in (False, True):
        with torch.autocast("cuda", dtype=torch.float16, enabled=enabled):
            on_gpu = case.value(loss, moved)
        assert on_gpu.dtype == torch.float32
        assert on_gpu.item() == pytest.approx(value.item(), rel=1e-5)
