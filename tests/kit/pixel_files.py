"""Picture files made byte by byte, and how they are read."""

import struct
import zlib

from lt_lightning.data.decode import read_image
from lt_lightning.data.reading import Reading


def found(path, **options):
    return read_image(path, 8, reading=Reading(**options)).permute(1, 2, 0).numpy()


def png(path, bits, kind, rows, *chunks):
    """Write a PNG of any depth; `kind` 0 is grey, 2 RGB."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    lines = b"".join(b"\0" + row for row in rows)
    head = struct.pack(">IIBBBBB", 8, len(rows), bits, kind, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    return path
