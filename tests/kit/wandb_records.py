"""Reading an offline W&B run back, record by record."""

import struct
import time

import pytest


def records(file):
    """Yield the records of an offline run: frames of a LevelDB log around W&B's own messages."""
    from wandb.proto import wandb_internal_pb2

    data, place, part = file.read_bytes(), 7, b""
    assert data[:4] in (b":W&B", b"")
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        kind = data[place + 6] if left >= 7 else 0
        if kind == 0:
            place += left
            continue
        _, size, _ = struct.unpack("<IHB", data[place : place + 7])
        chunk = data[place + 7 : place + 7 + size]
        place += 7 + size
        part = chunk if kind in (1, 2) else part + chunk
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(part)
            yield record


def finished_records(folder, seconds=60):
    """Return all records by type; W&B writes them some time after wandb.finish() returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = {}
        for file in folder.glob("wandb/offline-run-*/*.wandb"):
            for record in records(file):
                found.setdefault(record.WhichOneof("record_type"), []).append(record)
        if "exit" in found:
            return found
        time.sleep(0.05)
    pytest.fail("the run was never written to its end")
