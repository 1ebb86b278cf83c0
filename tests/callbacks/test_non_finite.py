import math

import pytest
import torch

from lt_lightning.callbacks import LastCheckpoint, NonFiniteGuard
from lt_lightning.errors import UserError


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_epoch_step_and_term_are_named(make_trainer, module, data, bad):
    module.outputs[1, 2] = {"loss_reversed": torch.tensor(bad), "loss_uniform": torch.tensor(1.0)}
    with pytest.raises(UserError) as error:
        make_trainer(NonFiniteGuard()).fit(module, datamodule=data)
    assert str(error.value) == (
        "loss_reversed was NaN or infinite in epoch 1, step 2 of it (both count from 0): lower "
        "the learning rate, or use --trainer.gradient_clip_val 1 or --trainer.precision 32-true."
    )


def test_all_terms_of_the_first_bad_step_are_named(make_trainer, module, data):
    module.outputs[0, 1] = {"a": torch.tensor(math.nan), "b": math.inf}
    module.outputs[0, 2] = {"c": torch.tensor(math.nan)}
    with pytest.raises(UserError, match=r"^a, b was NaN or infinite in epoch 0, step 1 of it"):
        make_trainer(NonFiniteGuard()).fit(module, datamodule=data)


def test_the_loss_itself_is_looked_at(make_trainer, module, data):
    torch.nn.init.constant_(module.layer.bias, math.inf)
    with pytest.raises(UserError, match=r"^loss was NaN or infinite in epoch 0, step 0 of it"):
        make_trainer(NonFiniteGuard()).fit(module, datamodule=data)


def test_other_values_are_left_alone(make_trainer, module, data):
    module.outputs[0, 0] = {
        "logits": torch.full((2, 3), math.nan),  # no term
        "count": torch.tensor(3),
        "name": "nan",
        "loss_of_branch": torch.tensor(1e38),
    }
    make_trainer(NonFiniteGuard()).fit(module, datamodule=data)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_late_look_names_the_exact_step(make_trainer, module, data, step):
    module.outputs[0, step] = {"term": torch.tensor(math.nan)}
    guard = NonFiniteGuard(every_n_steps=100)
    guard._look_now = lambda trainer, batch_idx: False
    with pytest.raises(UserError, match=rf"^term was NaN or infinite in epoch 0, step {step} of"):
        make_trainer(guard).fit(module, datamodule=data)


def test_no_checkpoint_is_written_after_a_bad_step(make_trainer, module, data, tmp_path):
    """Trap: between two looks a checkpoint of NaN weights takes the place of the last good one."""
    module.outputs[1, 0] = {"term": torch.tensor(math.nan)}
    guard = NonFiniteGuard(every_n_steps=100)
    guard._look_now = lambda trainer, batch_idx: False
    with pytest.raises(UserError, match="term was NaN"):
        make_trainer(guard, LastCheckpoint(tmp_path, 1)).fit(module, datamodule=data)
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 3


def test_no_checkpoint_is_written_with_bad_weights(make_trainer, module, data, tmp_path):
    """Trap: the step that ruins the weights had a finite loss; only the next one is NaN."""

    def ruin(*_):
        if module.trainer.global_step == 3:
            torch.nn.init.constant_(module.layer.weight, math.inf)

    module.on_train_batch_end = ruin
    last = LastCheckpoint(tmp_path)
    with pytest.raises(UserError, match=r"The weight layer\.weight became NaN .* epoch 0"):
        make_trainer(NonFiniteGuard(), last).fit(module, datamodule=data)
    assert not (tmp_path / "last.ckpt").exists()


def test_a_second_fit_starts_without_the_terms_of_the_first(make_trainer, toy_module, data):
    guard, module = NonFiniteGuard(), toy_module()
    module.outputs[0, 1] = {"term": torch.tensor(math.nan)}
    with pytest.raises(UserError):
        make_trainer(guard).fit(module, datamodule=data)
    make_trainer(guard).fit(toy_module(), datamodule=data)


def test_steps_below_one_are_refused():
    with pytest.raises(UserError, match="every_n_steps is 0"):
        NonFiniteGuard(every_n_steps=0)
