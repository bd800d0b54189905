"""One record of an event file: a protocol buffer ``Event``, of which the scalars count, as both versions of summaries have
them: ``simple_value``, or a tensor with one number."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from core.watching.protobuf import BYTES, FIXED32, FIXED64, VARINT, Malformed, fields, fixed, signed, varint
from core.watching.rows import LONGEST_NAME

WALL_TIME, STEP, SUMMARY, SESSION = 1, 2, 5, 7
"""Fields of an Event; ``value`` of a Summary is field 1."""
TAG, SIMPLE_VALUE, TENSOR, METADATA = 1, 2, 8, 9
"""Fields of a Value."""
OTHER_VALUES = {3: "histogram", 4: "image", 5: "histogram", 6: "sound"}
PLUGINS = {"histograms": "histogram", "images": "image", "audio": "sound", "text": "text", "hparams": "hyperparameter set",
           "pr_curves": "curve", "mesh": "mesh"}  # fmt: skip
MOST_VALUES = 4096
"""In one summary; further ones are not looked at."""


class Told(NamedTuple):
    """Of one Event; ``others`` are the kinds of what is no scalar."""

    time: float
    step: int
    scalars: dict[str, float]
    others: list[str]


class _Value(NamedTuple):
    tag: str
    scalar: float | None
    other: str


def decode(record: bytes) -> Told:
    """Raises Malformed."""
    time, step, summaries = 0.0, 0, []
    for number, kind, value, data in fields(record):
        if number == WALL_TIME and kind == FIXED64:
            time = fixed(kind, data)
        elif number == STEP and kind == VARINT:
            step = signed(value)
        elif number == SUMMARY and kind == BYTES:
            summaries.append(data)
    scalars, others = dict[str, float](), list[str]()
    for summary in summaries:
        for found in _values(summary):
            if found.scalar is not None:
                scalars[found.tag] = found.scalar
            elif found.other:
                others.append(found.other)
    return Told(time, step, scalars, others)


def _values(summary: bytes) -> list[_Value]:
    found = list[_Value]()
    for number, kind, _, data in fields(summary):
        if number == 1 and kind == BYTES and len(found) < MOST_VALUES:
            found.append(_value(data))
    return found


def _value(message: bytes) -> _Value:
    tag, scalar, other, plugin, tensor = "", None, "", "", None
    for number, kind, _, data in fields(message):
        if number == SIMPLE_VALUE and kind == FIXED32:
            scalar = fixed(kind, data)
        elif kind != BYTES:
            continue
        elif number == TAG:
            tag = data[: 4 * LONGEST_NAME].decode("utf-8", "replace")[:LONGEST_NAME]
        elif number == TENSOR:
            tensor = data
        elif number == METADATA:
            plugin = _plugin(data)
        else:
            other = OTHER_VALUES.get(number, other)
    if scalar is None and tensor is not None and plugin in ("", "scalars"):
        scalar = _scalar(tensor)
    return _Value(tag, scalar, other or PLUGINS.get(plugin, plugin and "tensor"))


def _plugin(metadata: bytes) -> str:
    for number, kind, _, data in fields(metadata):
        if number == 1 and kind == BYTES:
            names = (name for field, of, _, name in fields(data) if field == 1 and of == BYTES)
            return next(names, b"").decode("utf-8", "replace")
    return ""


def _bfloat16(data: bytes) -> float:
    found: float = struct.unpack("<f", b"\0\0" + data)[0]
    return found


def _as(form: str) -> Callable[[bytes], float]:
    return lambda data: float(struct.unpack(form, data)[0])


CONTENT: dict[int, tuple[int, Callable[[bytes], float]]] = {
    1: (4, _as("<f")), 2: (8, _as("<d")), 3: (4, _as("<i")), 4: (1, _as("<B")), 5: (2, _as("<h")), 6: (1, _as("<b")),
    9: (8, _as("<q")), 10: (1, _as("<?")), 14: (2, _bfloat16), 17: (2, _as("<H")), 19: (2, _as("<e")), 22: (4, _as("<I")),
    23: (8, _as("<Q")),
}  # fmt: skip
"""By a tensor's type, how wide a number is in ``tensor_content``, and how it is read."""
FLOATS = {5: 4, 6: 8}
"""Fields with packed floats and doubles."""
INTEGERS = frozenset({7, 10, 11, 16, 17})
"""Fields with packed whole numbers; 13 has the bits of a half."""
HALVES = 13


def _scalar(tensor: bytes) -> float | None:
    """The number of a tensor that has only one."""
    dtype, found = 0, None
    for number, kind, value, data in fields(tensor):
        if number == 1 and kind == VARINT:
            dtype = value
        elif number == 2 and kind == BYTES and _elements(data) != 1:
            return None
        elif number == 4 and kind == BYTES and dtype in CONTENT and len(data) == CONTENT[dtype][0]:
            found = CONTENT[dtype][1](data)
        elif number in FLOATS:
            found = fixed(FIXED64 if len(data) == 8 else FIXED32, data) if len(data) == FLOATS[number] else found
        elif number in INTEGERS or number == HALVES:
            found = _integer(number, dtype, value if kind == VARINT else varint(data, 0)[0])
    return found


def _integer(number: int, dtype: int, value: int) -> float:
    if number != HALVES:
        return float(signed(value))
    width, read = CONTENT.get(dtype, CONTENT[19])
    if width != 2:
        raise Malformed("a half of another type")
    return read(struct.pack("<H", value & 0xFFFF))


def _elements(shape: bytes) -> int:
    count = 1
    for number, kind, _, data in fields(shape):
        if number == 2 and kind == BYTES:
            sizes = [value for field, of, value, _ in fields(data) if field == 1 and of == VARINT]
            count *= sizes[0] if sizes else 0
    return count
