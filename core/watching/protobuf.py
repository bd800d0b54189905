"""The wire format of protocol buffers, as much as event files need: numbered fields, one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}
LONGEST_VARINT = 10
LARGEST_FIELD = (1 << 29) - 1

Field: TypeAlias = tuple[int, int, int, bytes]
"""Number, kind, the value of a VARINT (0 for the others), and the bytes of the others."""

DOUBLE, FLOAT = struct.Struct("<d"), struct.Struct("<f")


class Malformed(ValueError):
    """Bytes that are no message."""


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message. Raises Malformed at the first that is none; copies no more than the message holds."""
    place, end = 0, len(data)
    while place < end:
        key, place = (data[place], place + 1) if data[place] < 0x80 else varint(data, place)
        number, kind = key >> 3, key & 7
        if not 0 < number <= LARGEST_FIELD:
            raise Malformed(f"field {number}")
        if kind == VARINT:
            value, place = varint(data, place)
            yield number, kind, value, b""
            continue
        if kind == BYTES:
            short = place < end and data[place] < 0x80  # as nearly all are
            length, place = (data[place], place + 1) if short else varint(data, place)
        elif kind in WIDTHS:
            length = WIDTHS[kind]
        else:
            raise Malformed(f"a field of kind {kind}")
        if length > end - place:
            raise Malformed("a field longer than its message")
        yield number, kind, 0, data[place : place + length]
        place += length


def varint(data: bytes, place: int) -> tuple[int, int]:
    """The number at a place, and where it ends."""
    value = 0
    for count in range(LONGEST_VARINT):
        if place >= len(data):
            raise Malformed("half a number")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
    raise Malformed("a number of more than ten bytes")


def signed(value: int) -> int:
    """A number of 64 bits that may be below 0."""
    return value - (1 << 64) if value >> 63 else value


def fixed(kind: int, data: bytes) -> float:
    """A double or a float."""
    found: float = (DOUBLE if kind == FIXED64 else FLOAT).unpack(data)[0]
    return found
