"""How long a run is where nothing says so."""

import pytest
from jsonargparse import Namespace

from lt_lightning.cli.staged import DEFAULT_EPOCHS, settle

STAGES = {"stage1_epochs": 2, "stage2_epochs": 3}


@pytest.mark.parametrize(
    ("stages", "max_steps", "expected"),
    [
        (STAGES, -1, 5),
        (STAGES, 7, 5),  # trap: it stayed null, and was refused with any other value too
        ({}, -1, DEFAULT_EPOCHS),
        ({}, 7, None),  # no length of a schedule follows from steps
    ],
)
def test_max_epochs_follows_from_the_stages(stages, max_steps, expected):
    trainer = Namespace(max_epochs=None, max_steps=max_steps)
    options = Namespace(trainer=trainer, model=Namespace(init_args=stages))
    settle("fit", options)
    assert options.trainer.max_epochs == expected
