import math

import pytest
import torch

from lt_lightning.callbacks.comparison import side_by_side
from lt_lightning.callbacks.outcome import plain
from lt_lightning.metrics import ClassStats


def evaluation():
    stats = ClassStats(2, groups={})
    stats.update(torch.tensor([[math.log(4), 0.0]]), torch.tensor([0]))
    reliability = {name: plain(value) for name, value in stats.reliability().items()}
    return {"reliability": reliability, "overall": stats.compute()}


@pytest.mark.parametrize(
    ("labels", "headings"),
    [
        (["last"], None),
        (["last", "best"], None),
        (["last", "stage1", "best"], ["end of stage 1", "last epoch"]),
        (
            ["last+vector_scaling", "last+temperature_1.5", "last", "best"],
            ["last epoch", "temperature 1.5", "vector scaling"],
        ),
        (
            ["last", "best+temperature_2", "best"],
            ["last epoch", "best epoch", "best epoch, temperature 2"],
        ),
    ],
)
def test_before_comes_before_after(labels, headings):
    figure = side_by_side({label: evaluation() for label in labels}, "T")
    shown = figure and [axes.get_title().splitlines()[0] for axes in figure.axes if axes.containers]
    assert shown == headings
