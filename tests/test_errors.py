"""What a terminal gets of a sentence."""

import pytest
import torch
from torch._utils import ExceptionWrapper

from lt_lightning.backbones import TorchvisionBackbone
from lt_lightning.cli.words.errors import explain
from lt_lightning.data.decode import Unreadable
from lt_lightning.errors import Agreed, UserError, shown


def test_a_sentence_is_one_line_and_no_value_of_it_is_endless() -> None:
    assert shown("There is no a\nb\x1b[2J: give another.") == (
        "There is no a\\nb\\x1b[2J: give another."
    )
    told = shown(f"There is no /{'a' * 5000}.csv: give another.")
    assert len(told) < 200
    assert told.endswith("a.csv: give another.")
    assert shown(f"It has {'ab, ' * 300}").count("ab") == 300


def test_an_image_that_a_network_shrinks_to_nothing_is_told() -> None:
    layers = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 3) for _ in range(3)))
    for network in (layers, torch.nn.MaxPool2d(9)):
        with pytest.raises(RuntimeError) as raised:
            network(torch.zeros(1, 1, 4, 4))
        assert "a larger --data.source.image_size" in str(explain(raised.value))


def test_weights_of_a_variable_that_was_not_set_are_refused() -> None:
    with pytest.raises(UserError, match="weights is ''"):
        TorchvisionBackbone("resnet18", weights="")


def test_a_broken_compiler_is_told_with_the_way_without_it() -> None:
    kind = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})
    error = kind("CppCompileError: C++ compile error\n\nCommand:\ng++ -O3")
    assert explain(error) == (
        "torch cannot compile the network here (InductorError: CppCompileError: C++ compile "
        "error): leave out --model.compile."
    )


class _Another(UserError):
    """One of another package."""


@pytest.mark.parametrize("kind", [UserError, Agreed, Unreadable, _Another])
def test_every_mistake_in_a_worker_of_torch_is_told_as_one_outside(kind: type[UserError]) -> None:
    def reads() -> None:
        try:
            raise ValueError("not a JPEG file")
        except ValueError as error:
            raise kind("The image UserError: 3.jpg is broken: remove it.") from error

    with pytest.raises(kind) as inside:
        reads()
    kinds = (type(inside.value), inside.value, inside.value.__traceback__)
    with pytest.raises(kind) as handed_on:
        ExceptionWrapper(kinds, "in DataLoader worker process 0").reraise()
    assert explain(handed_on.value) == "The image UserError: 3.jpg is broken: remove it."
