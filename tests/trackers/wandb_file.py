"""Reads what wandb keeps of a run that is not online: the records of its own protocol in LevelDB's framing, whose blocks of 32
KiB hold pieces of records, each behind a checksum, a length and whether it is whole, the first, a middle one or the last."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 1 << 15
FILE_HEAD = 7
HEAD = struct.Struct("<IHB")
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def records(path: Path) -> Iterator[Any]:
    from wandb.proto.wandb_internal_pb2 import Record

    for data in _whole(path.read_bytes()):
        record = Record()
        record.ParseFromString(data)
        yield record


def _whole(data: bytes) -> Iterator[bytes]:
    place, parts = FILE_HEAD, bytearray()
    while place + HEAD.size <= len(data):
        if BLOCK - place % BLOCK < HEAD.size:  # the rest of a block that is too short for a head
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = HEAD.unpack_from(data, place)
        if not kind:
            return
        piece = data[place + HEAD.size : place + HEAD.size + length]
        place += HEAD.size + length
        parts = bytearray(piece) if kind in (WHOLE, FIRST) else parts + piece
        if kind in (WHOLE, LAST):
            yield bytes(parts)


def rows(path: Path) -> list[dict[str, Any]]:
    """Of its history."""
    return [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in records(path)
        if record.WhichOneof("record_type") == "history"
    ]


def summary(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for record in records(path):
        if record.WhichOneof("record_type") == "summary":
            found |= {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.summary.update}
    return found


def run(path: Path) -> Any:
    """What it says of the run itself, the latest."""
    return [record.run for record in records(path) if record.WhichOneof("record_type") == "run"][-1]
