"""One bit of a file that is not as it was written."""

import pytest
import torch

from lt_lightning.backbones.weight_files import read_weights
from lt_lightning.errors import UserError
from lt_lightning.runs import checkpoint

WEIGHT = torch.arange(4096, dtype=torch.float32)


def flipped(file):
    """Flip a bit of the weight that `file` holds; torch reads it without a word."""
    content, own = bytearray(file.read_bytes()), WEIGHT.numpy().tobytes()
    content[content.index(own) + 8002] ^= 2
    file.write_bytes(content)
    (read,) = torch.load(file, weights_only=True)["state_dict"].values()
    assert int((read != WEIGHT).sum()) == 1
    return file


@pytest.mark.parametrize("read", [checkpoint.read, lambda file: read_weights(str(file))])
def test_a_file_with_a_flipped_bit_is_damaged(tmp_path, read):
    file = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"weight": WEIGHT}}, file)
    with pytest.raises(UserError, match=r"last\.ckpt (is|are) damaged") as told:
        read(flipped(file))
    assert len(str(told.value).splitlines()) == 1
