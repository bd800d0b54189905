"""Files as others write them: event files to the byte, tables and JSON lines."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.watching.checksums import masked

NOW = 1_790_000_000.0
EVENTS = "events.out.tfevents.1790000000.machine.1.0"


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    found = bytearray()
    while value >= 0x80:
        found.append((value & 0x7F) | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(tag: str, value: float) -> bytes:
    """A summary's value of the first version."""
    return field(1, field(1, tag.encode()) + b"\x15" + struct.pack("<f", value))


def event(step: int, *values: bytes, time: float = NOW) -> bytes:
    return b"\x09" + struct.pack("<d", time) + b"\x10" + varint(step) + (field(5, b"".join(values)) if values else b"")


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def scalars(steps: Iterable[int], values: Mapping[str, float], seconds: float = 1.0) -> bytes:
    """Records, one a scalar, as TensorBoard's writers have them."""
    return b"".join(
        record(event(step, scalar(tag, value), time=NOW + seconds * step)) for step in steps for tag, value in values.items()
    )


def event_file(folder: Path, data: bytes, name: str = EVENTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with path.open("ab") as file:
        file.write(data)
    return path
