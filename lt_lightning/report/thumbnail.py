"""Small pictures inside a file of text: PNG or JPEG in base64, and nothing else."""

import base64
import binascii
import io
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import numpy as np

SIDE = 96  # pixels, at most
_EXACT = 48  # a side up to which no pixel is lost
_QUALITY = 88  # of a JPEG
_LONGEST = 64 * 2**10  # characters; a PNG of 96 x 96 random pixels has 37,000
_PNG = "iVBORw0KGgo"  # how every PNG begins in base64
_KINDS = {"PNG": "png", "JPEG": "jpeg"}


def thumbnail(pixels: "np.ndarray[Any, Any]") -> str:
    """Return a picture as text, no side longer than 96 pixels.

    Args:
        pixels: uint8 (H, W, 3).
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if max(picture.size) <= _EXACT:
        picture.save(stream, "PNG")
    else:
        picture.save(stream, "JPEG", quality=_QUALITY)
    return base64.b64encode(stream.getvalue()).decode()


def data_url(text: Any) -> str:
    """Return the address under which a page shows a thumbnail.

    Args:
        text: what a file has for one.

    Raises:
        ValueError: if it is none.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise ValueError(f"a picture is no text of up to {_LONGEST} characters")
    try:
        content = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(content), formats=tuple(_KINDS)) as picture:
            kind, size = str(picture.format), picture.size
            if max(size) <= SIDE:  # a larger one is not even decoded
                picture.load()
    except (binascii.Error, OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValueError("a picture is neither a PNG nor a JPEG") from error
    except Image.DecompressionBombError as error:
        raise ValueError("a picture is too large") from error
    if max(size) > SIDE:
        raise ValueError(f"a picture has {size[0]} x {size[1]} pixels, more than {SIDE} a side")
    return f"data:image/{_KINDS[kind]};base64,{text}"


def is_exact(text: str) -> bool:
    """Return whether a thumbnail is a small picture with all its pixels."""
    return text.startswith(_PNG)
