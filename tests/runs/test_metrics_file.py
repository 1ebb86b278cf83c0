"""metrics.csv is read whole, or refused in one sentence with its name."""

import os

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs.metrics_file import read_metrics


def test_rows_without_their_empty_cells(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text('epoch,step,train/loss,"val/acc_a,b"\r\n0.0,9.0,,0.5\r\n1.0,19.0,nan,\r\n')
    first, second = read_metrics(file, "delete it")
    assert first == {"epoch": 0, "step": 9, "val/acc_a,b": 0.5}
    assert list(second) == ["epoch", "step", "train/loss"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "first line"),
        (b"a,b\n1,2\n", "first line"),
        (b"epoch,step,a,a\n0,1,2,3\n", "first line"),
        (b"epoch,step,a\n0,1,high\n", "'high'"),
        (b"epoch,step,a\n0,1," + b"9" * 5000 + b"x\n", "no number"),
        (b"epoch,step,a\n0,1\n", "2 cells for 3"),
        (b"epoch,step,a\n0,1,2,3\n", "4 cells for 3"),
        (b"epoch,step,a\n0,1,2\x00\n", "no number"),
        (b'epoch,step,a\n0,1,"2\n', "end of data"),
        (b"epoch,step,a\n0,1,\xff\n", "utf-8"),
        (b"epoch,step,a\n0,1," + b"1" * 200_000 + b"\n", "field"),
    ],
)
def test_a_damaged_file_is_one_short_sentence(tmp_path, content, word):
    file = tmp_path / "metrics.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=word) as error:
        read_metrics(file, "delete it")
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300 + len(str(file))


def test_neither_folder_nor_pipe_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(UserError, match="no regular file"):
            read_metrics(tmp_path / name, "delete it")
