import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import IMAGENET_MEAN, IMAGENET_STD, Normalize
from lt_lightning.errors import UserError


def test_golden_values():
    image = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    out = Normalize()(image).flatten()
    golden = [-0.4914 / 0.2023, (1 - 0.4822) / 0.1994, (0.2 - 0.4465) / 0.2010]
    torch.testing.assert_close(out, torch.tensor(golden))


def test_equals_torchvision(pictures):
    expected = tv.normalize(
        tv.to_dtype(pictures, torch.float32, scale=True), IMAGENET_MEAN, IMAGENET_STD
    )
    out = Normalize(IMAGENET_MEAN, IMAGENET_STD)(pictures)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, expected)


def test_layout_is_what_was_asked_for(pictures):
    as_last = pictures.to(memory_format=torch.channels_last)
    for images in (pictures, as_last):
        plain = Normalize()(images)
        last = Normalize(memory_format="channels_last")(images)
        assert plain.is_contiguous()
        assert last.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(plain, last)


def test_input_stays(pictures):
    before = pictures.clone()
    Normalize()(pictures)
    assert torch.equal(pictures, before)


@pytest.mark.parametrize(
    "options",
    [{"mean": [0.5]}, {"mean": [], "std": []}, {"std": [1.0, 0.0, 1.0]}, {"memory_format": "nhwc"}],
)
def test_bad_parameters(options):
    with pytest.raises(UserError):
        Normalize(**options)


@pytest.mark.parametrize(
    "images", [torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4, dtype=torch.uint8)]
)
def test_bad_images(images):
    with pytest.raises(UserError, match="images"):
        Normalize()(images)
