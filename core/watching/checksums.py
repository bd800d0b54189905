"""The checksum of TensorBoard's records: CRC-32C, turned and shifted ('masked') as its format has it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8
FEW = 4
"""Stretches of one length that are gone through one by one, since columns of so few would take longer."""


def masked(data: bytes | memoryview) -> int:
    crc, table = 0xFFFFFFFF, _plain_table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + MASK) & 0xFFFFFFFF


def masked_each(data: bytes, starts: Sequence[int], length: int) -> list[int]:
    """Of many stretches of the same length, all at once: their first bytes, then their second ones, and so on."""
    if len(starts) < FEW:
        return [masked(data[start : start + length]) for start in starts]
    found: list[int] = _masked_columns(np.frombuffer(data, np.uint8), np.asarray(starts), length).tolist()
    return found


def where_matching(data: bytes, length: int) -> int | None:
    """The first place whose ``length`` bytes are followed by their own checksum."""
    count = len(data) - length - 3
    if count <= 0:
        return None
    found = np.frombuffer(data, np.uint8)
    wanted = sum(found[length + byte : length + byte + count].astype(np.uint32) << np.uint32(8 * byte) for byte in range(4))
    places = np.flatnonzero(_masked_columns(found, np.arange(count), length) == wanted)
    return int(places[0]) if len(places) else None


def _masked_columns(data: NDArray[np.uint8], starts: NDArray[np.int64], length: int) -> NDArray[np.uint32]:
    crc, table, eight = np.full(len(starts), 0xFFFFFFFF, np.uint32), _table(), np.uint32(8)
    for column in range(length):
        crc = table[(crc ^ data[starts + column]) & np.uint32(0xFF)] ^ (crc >> eight)
    crc ^= np.uint32(0xFFFFFFFF)
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(MASK)


@cache
def _plain_table() -> tuple[int, ...]:
    return tuple(map(_entry, range(256)))


@cache
def _table() -> NDArray[np.uint32]:
    return np.array(_plain_table(), np.uint32)


def _entry(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
    return crc
