"""A run without its checkpoint is told what became of it."""

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs.folder import of_run


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("metrics.csv", "it stopped before the first one, start it again"),
        ("results.json", "it was tested and has lost it, put it back or train the run again"),
    ],
)
def test_a_run_without_its_last_checkpoint(tmp_path, file, told):
    for name in ("config.yaml", file):
        (tmp_path / name).write_text("")
    with pytest.raises(UserError, match=f"has no last.ckpt: {told}"):
        of_run(str(tmp_path))
