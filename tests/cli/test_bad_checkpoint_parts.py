"""What Lightning and torch say of a checkpoint that does not fit is told in one sentence."""

from pathlib import Path

import pytest
import torch

from lt_lightning.cli.words.errors import explain
from lt_lightning.errors import UserError
from lt_lightning.runs.fits import check_kinds

RESTORING = "lightning.pytorch.trainer.connectors.checkpoint_connector"


@pytest.mark.parametrize("error", ["KeyError('state')", "TypeError('x')", "AttributeError('x')"])
def test_an_error_while_a_checkpoint_is_taken_over_names_it(error):
    space = {"__name__": RESTORING}
    exec(f"def restore_loops():\n raise {error}\ndef dump_checkpoint():\n raise {error}", space)
    with pytest.raises((KeyError, TypeError, AttributeError)) as caught:
        space["restore_loops"]()
    assert "the checkpoint does not fit the run that goes on" in explain(caught.value)
    with pytest.raises((KeyError, TypeError, AttributeError)) as caught:
        space["dump_checkpoint"]()
    assert explain(caught.value) is None, "writing one is another matter, and would be our bug"


def test_a_state_of_the_optimizer_that_does_not_fit_is_told():
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    optimizer.state[weight]["momentum_buffer"] = torch.ones(3)
    weight.grad = torch.ones(2, 2)
    with pytest.raises(RuntimeError) as caught:
        optimizer.step()
    assert "not from this checkpoint" in explain(caught.value)


def test_whole_numbers_are_no_weights():
    real, whole = {"w": torch.ones(2)}, {"w": torch.ones(2, dtype=torch.int64)}
    check_kinds({"w": torch.ones(2, dtype=torch.float64), "other": whole["w"]}, real)
    for saved, own in ((whole, real), (real, whole)):
        with pytest.raises(UserError, match="The weights w of the checkpoint are"):
            check_kinds(saved, own)


def test_of_a_checkpoint_only_the_weights_are_asked_for(lt, place):
    """Trap: Lightning gives a test the loops and the callbacks too, one of which it stops at."""
    last = Path(place["copy"]) / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    content["loops"] = {name: {"state_dict": {"x": 1}} for name in content["loops"]}
    for name in content["callbacks"]:
        content["callbacks"][name] = {"best": "x", "seconds": "long"}
    content["lr_schedulers"], content["MixedPrecision"] = [{"last_epoch": 0}], {"scale": "x"}
    content["optimizer_states"] = [{"state": {}, "param_groups": [{"params": [], "lr": 0.1}]}]
    torch.save(content, last)

    answer = lt(f"test {place['copy']}")

    assert answer.status == 0, answer.err
