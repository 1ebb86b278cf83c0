"""What the pixels of an image file mean: which side is up, what is behind, how grey a grey is."""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lt_lightning.data.reading import AS_BEFORE, Reading

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_ORIENTATION = 0x0112  # the EXIF tag
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 339  # tags of TIFF
_SIGNED = 2  # a format of samples in TIFF
_CUT = re.compile(r"(L|LA|RGB|RGBA|RGBX|RGBa|CMYK);16")  # Pillow keeps the high byte alone
_DARK = 12  # bits; cameras that have so many often write them into 16
_BRIGHTEST = 2**_DARK - 1  # of such a picture
# What Pillow decodes by itself, often used first: no other program is started for an image.
_FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF", "MPO", "QOI", "DIB"),
    *("ICO", "CUR", "ICNS", "PCX", "DCX", "SGI", "TGA", "DDS", "XBM", "XPM", "SUN", "MSP"),
)


class Unclear(Exception):
    """The pixels cannot be told from the file.

    Args:
        fault: what is wrong, after "The image FILE".
        remedy: what to do in training.
    """

    def __init__(self, fault: str, remedy: str = "convert it to 8 bits a channel") -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


@cache
def formats() -> tuple[str, ...]:
    """Return the formats that are read, as far as this Pillow has them."""
    from PIL import Image

    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def rgb(opened: "Picture", reading: Reading) -> "Picture":
    """Return 8 bits of red, green and blue: of a moving picture the first frame, of pages one.

    Args:
        opened: a picture whose pixels are not loaded yet.
        reading: how they are taken.

    Raises:
        Unclear: if the file does not say what its samples mean.
    """
    if reading == AS_BEFORE:
        return _as_before(opened)
    samples = _Samples.of(opened)
    opened.load()
    turn = _turn(opened) if reading.upright else None
    odd = samples.odd or {"F": "floating-point", "LAB": "L*a*b*"}.get(opened.mode)
    if odd:
        raise Unclear(f"has {odd} samples")
    if opened.mode.startswith("I"):
        image = _of_deep_grey(opened, samples, reading)
    else:
        image = _of_bytes(opened, samples, reading)
    return image if turn is None else image.transpose(turn)


def _as_before(opened: "Picture") -> "Picture":
    """Return what `AS_BEFORE` makes of a picture: nothing of the file is asked, nor refused."""
    from PIL import Image

    if opened.mode.startswith("I"):
        high = np.asarray(opened).astype(np.int64).clip(0, 65535) >> 8
        opened = Image.fromarray(high.astype(np.uint8))
    elif opened.mode == "P" and "transparency" in opened.info:
        opened = opened.convert("RGBA")  # straight to RGB is the same, with a warning
    return opened.convert("RGB")


def upright_size(opened: "Picture", upright: bool) -> tuple[int, int]:
    """Return width and height of what `rgb` returns, from the header of an opened picture."""
    from PIL.Image import Transpose
    from PIL.TiffImagePlugin import TiffImageFile

    turns = Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90
    width, height = opened.size
    if isinstance(opened, TiffImageFile):  # Pillow turns it by itself, and some tell so before
        width, height = opened.tag_v2[_WIDTH], opened.tag_v2[_HEIGHT]
        upright = True
    return (height, width) if upright and _turn(opened) in turns else (width, height)


@dataclass(frozen=True)
class _Samples:
    """What a file says of its samples, which Pillow forgets when it loads them.

    Args:
        bits: of a grey sample, where the file says it; 16 also where the decoder spreads fewer
            over 16 by itself.
        spread: whether it does.
        deep: whether Pillow drops the low byte.
        dark: what the brightest sample of 12 bits in 16 is then loaded as.
        scale: between the transparent sample as it is in the file and as it is loaded.
        odd: what a sample is that is no whole number of 8 or 16 bits; empty where it is.
        inverted: whether 0 is white in samples that are loaded as they are.
    """

    bits: int | None = None
    spread: bool = False
    deep: bool = False
    dark: int = _BRIGHTEST >> 8
    scale: int = 1
    odd: str = ""
    inverted: bool = False

    @staticmethod
    def of(opened: "Picture") -> "_Samples":
        from PIL.PngImagePlugin import PngImageFile
        from PIL.TiffImagePlugin import TiffImageFile

        if isinstance(opened, TiffImageFile):
            tags = opened.tag_v2
            bits = max(tags.get(_BITS, (1,)))
            return _Samples(
                bits=bits if bits < 16 else None,
                deep=bits > 8 and not opened.mode.startswith("I"),
                odd="signed"
                if _SIGNED in tags.get(_SAMPLES, ())
                else {"I": "32-bit"}.get(opened.mode, ""),
                inverted=tags.get(_PHOTOMETRIC) == 0 and opened.mode.startswith("I;16"),
            )
        raw = _raw(opened)
        if isinstance(opened, PngImageFile):
            return _Samples(scale={"L;2": 85, "L;4": 17}.get(raw, 1), deep=bool(_CUT.match(raw)))
        whole = opened.format == "PPM" and (raw == "I;16B" or raw.endswith(" 65535"))
        spread = opened.format in ("JPEG2000", "PPM") and not whole
        if whole:  # of which Pillow rounds the low byte
            return _Samples(deep=True, dark=round(_BRIGHTEST * 255 / 65535))
        return _Samples(spread=spread, deep=bool(_CUT.match(raw)))


def _raw(opened: "Picture") -> str:
    """Return what the decoder is told of the samples, as one text."""
    from PIL.ImageFile import ImageFile

    tiles = opened.tile if isinstance(opened, ImageFile) else []
    if not tiles:
        return ""
    decoder, _, _, told = tiles[0]
    if decoder == "SGI16":
        return "L;16B"
    return told if isinstance(told, str) else " ".join(map(str, told or ()))


def _turn(opened: "Picture") -> Any:
    """Return how the picture must be turned, if it must."""
    from PIL.Image import Transpose

    try:
        value = opened.getexif().get(_ORIENTATION)
    except Exception:  # damaged EXIF raises nearly anything, and then nothing is known
        return None
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return turns.get(value) if type(value) is int else None


def _of_deep_grey(image: "Picture", samples: _Samples, reading: Reading) -> "Picture":
    from PIL import Image

    grey = np.asarray(image).astype(np.int64)
    least, most = int(grey.min()), int(grey.max())
    if least < 0 or most > 65535:
        raise Unclear(f"has greys from {least} to {most}", "convert it to 8 or 16 bits")
    if samples.spread:
        bits = 16
    elif reading.grey_bits is not None:
        bits = reading.grey_bits
    elif samples.bits is not None:
        bits = samples.bits
    elif 0 < most <= _BRIGHTEST:
        raise Unclear(
            f"has 16 bits of grey but none above {most}, which is nearly black",
            f"set --data.source.grey_bits {_DARK} if its greys have {_DARK} bits, 16 to take it so",
        )
    else:
        bits = 16
    if most >= 2**bits:
        raise Unclear(
            f"has greys up to {most}, more than the {bits} bits of grey_bits hold",
            "set --data.source.grey_bits to a larger number, 16 at most",
        )
    key = grey == image.info.get("transparency") if reading.background is not None else None
    if samples.inverted:
        grey = 2**bits - 1 - grey
    eight = Image.fromarray((grey >> (bits - 8)).astype(np.uint8)).convert("RGB")
    return _over(eight, key, reading)


def _of_bytes(image: "Picture", samples: _Samples, reading: Reading) -> "Picture":
    if image.mode in ("La", "RGBa"):  # colours that are multiplied by their alpha
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.mode in ("P", "PA"):  # straight to RGB is the same, with a warning
        image = image.convert("RGBA")
    found = image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
    if samples.deep and reading.grey_bits != 16:
        colours = [image.getchannel(name) for name in image.getbands() if name != "A"]
        if 0 < max(int(np.asarray(colour).max()) for colour in colours) <= samples.dark:
            raise Unclear(
                f"has 16 bits a channel but no value above {_BRIGHTEST}, which is nearly black",
                "convert it to 8 bits a channel, or set --data.source.grey_bits 16 to take it so",
            )
    if reading.background is None:
        return found
    if image.mode in ("LA", "RGBA"):
        return _over(found, image.getchannel("A"), reading)
    clear = image.info.get("transparency")
    if clear is None or image.mode not in ("1", "L", "RGB"):
        return found
    return _over(found, _is_clear(found, image.mode, clear, samples), reading)


def _is_clear(found: "Picture", mode: str, clear: Any, samples: _Samples) -> "np.ndarray[Any, Any]":
    """Return where the pixels are those that the file calls transparent."""
    if mode == "1":
        wanted = [255 if clear else 0]
    else:
        values = clear if isinstance(clear, tuple) else (clear,)
        wanted = [value >> 8 if samples.deep else value * samples.scale for value in values]
    result: np.ndarray[Any, Any] = (np.asarray(found) == np.array(wanted)).all(axis=2)
    return result


def _over(image: "Picture", alpha: Any, reading: Reading) -> "Picture":
    """Lay `image` over the background: `alpha` is a channel, or true where it is transparent."""
    from PIL import Image

    if alpha is None or reading.background is None:
        return image
    if isinstance(alpha, np.ndarray):
        alpha = Image.fromarray(np.where(alpha, 0, 255).astype(np.uint8))
    behind = Image.new("RGB", image.size, reading.background)
    return Image.composite(image, behind, alpha)
