"""A square picture with a palette as PNG, with nothing but the standard library."""

import struct
import zlib
from collections.abc import Sequence


def palette_png(size: int, pixels: bytes, palette: Sequence[tuple[int, int, int]]) -> bytes:
    """Return the content of a PNG file.

    Args:
        size: width and height.
        pixels: size * size places in the palette, row by row.
        palette: up to 256 colours as red, green, blue.
    """
    rows = b"".join(b"\0" + pixels[k * size : (k + 1) * size] for k in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)
    colours = bytes(part for colour in palette for part in colour)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colours),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
