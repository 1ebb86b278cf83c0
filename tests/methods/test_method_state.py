"""What every public method keeps: in checkpoints, copies and on another device."""

import copy

import torch
from torch import Tensor, nn
from torchmetrics import Metric

PLAIN = (bool, int, float, str, type(None))


def _logits(module, images):
    module.eval()
    with torch.no_grad():
        return module.predict_logits(images)


def test_checkpoint_is_safe_and_gives_the_same_logits(fitted, images, lab, tmp_path):
    fitted.trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    fresh = lab.module(fitted.method, fitted.data)
    assert not torch.equal(_logits(fresh, images), _logits(fitted.module, images))
    fresh.on_load_checkpoint(content)
    fresh.load_state_dict(content["state_dict"])
    assert torch.equal(_logits(fresh, images), _logits(fitted.module, images))


def test_checkpoint_can_be_read_by_the_class(fitted, images, lab, tmp_path):
    fitted.trainer.save_checkpoint(tmp_path / "a.ckpt")
    options = lab.settings(fitted.method, fitted.data)
    made = {name: value for name, value in options.items() if name not in fitted.module.hparams}
    read = fitted.method.load_from_checkpoint(tmp_path / "a.ckpt", weights_only=True, **made)
    assert torch.equal(_logits(read, images), _logits(fitted.module, images))


def test_hyperparameters_are_plain(fitted):
    assert _is_plain(dict(fitted.module.hparams))
    assert fitted.module.hparams["class_counts"] == fitted.data.class_counts.tolist()


def _is_plain(value):
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return isinstance(value, PLAIN)


def test_copy_stands_alone(fitted, images, lab):
    module = lab.reloaded(fitted)
    twin = copy.deepcopy(module)
    assert torch.equal(_logits(twin, images), _logits(module, images))
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert torch.equal(_logits(module, images), _logits(fitted.module, images))


def test_all_tensors_move_with_the_module(method, lab):
    module = lab.module(method)
    for part in module.modules():
        if not isinstance(part, Metric):  # moves its own states
            _no_loose_tensor(part)
    moved = module.to("meta")
    tensors = [*moved.parameters(), *moved.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.device.type == "meta"


def _no_loose_tensor(part: nn.Module):
    kept = ("_parameters", "_buffers", "_modules")
    for name, value in vars(part).items():
        items = value.values() if isinstance(value, dict) else value
        loose = items if isinstance(items, list | tuple) else [items]
        assert name in kept or not any(isinstance(item, Tensor) for item in loose), name


def test_wide_module_gives_wide_logits(method, lab, images):
    module = lab.module(method)
    narrow = _logits(module, images)
    wide = _logits(module.double(), images.double())
    assert wide.dtype == torch.float64
    torch.testing.assert_close(wide.float(), narrow, rtol=1e-3, atol=1e-3)


def test_module_is_built_from_its_three_facts_of_the_data_alone(method, lab):
    data = lab.data(method)
    module = lab.module(method, data)
    assert module.class_names == data.class_names
    assert module.num_classes == data.num_classes
    assert torch.equal(module.loss.class_counts, data.class_counts)
