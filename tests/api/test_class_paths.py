"""A class that is given as itself is kept by the path that its name stands for."""

import pytest
from jsonargparse import ArgumentParser

from lt_lightning.api.options import words
from lt_lightning.losses import LDAM, Loss
from lt_lightning.methods import BBN


class Own(LDAM):
    pass


@pytest.mark.parametrize("kind", [LDAM, Own])
def test_path_of_a_class_is_that_of_its_name(kind):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Loss, "loss", skip={"class_counts"})
    by_name = parser.parse_args(["--loss", kind.__name__]).loss.class_path
    assert words({"loss": kind}) == [f"--loss={by_name}"]


def test_path_is_the_shortest():
    assert words({"model": BBN}) == ["--model=lt_lightning.methods.BBN"]
    assert words({"model": Own}) == [f"--model={__name__}.Own"]
