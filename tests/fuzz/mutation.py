"""Good bytes made bad: bits turned, pieces cut, repeated and put elsewhere, numbers made absurd; and, with what surrounds
them kept right (quotes, lengths, checksums), values of JSON, headers of safetensors and chunks of PNG."""

from __future__ import annotations

import json
import random
import re
import zlib
from typing import Any

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?")
ABSURD = (
    b"-1",
    b"0",
    b"1e308",
    b"-1e308",
    b"1e999",
    b"99999999999999999999",
    b"9223372036854775807",
    b"null",
    b'"nan"',
    b"[]",
    b"{}",
)
PIECES = (
    b"\0",
    b"\xff",
    b"\n",
    b'"',
    b"[",
    b"{",
    b"}",
    b"\\u0000",
    b"\x1b[2J",
    b"../",
    b"[" * 2000,
    b"9" * 500,
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
)
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 0.5, 2**31, 2**63 - 1, 2**64, -(2**63), 10**30, 1e308, -1e308, float("nan"), float("inf"),
    "", "nan", "\x1b[2J", "../../x", "\u202e", "\ud800", "x" * 3000, [], {}, [[[]]], [0] * 50, {"": None},
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"
HOW_MANY = (1, 1, 1, 2, 4)
"""Mutations of one input, to choose from: after many of them little is left to be understood."""


def mutated(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """``data`` after one to four mutations; ``other`` is another good input, of which a piece may be taken."""
    for _mutation in range(chance.choice(HOW_MANY)):
        data = chance.choice(MUTATIONS)(chance, data, other)
    return data


def _turned(chance: random.Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _bit in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _truncated(chance: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _repeated(chance: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:end] + data[start:end] * chance.randint(1, 20) + data[end:]


def _inserted(chance: random.Random, data: bytes, _: bytes) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + chance.choice(PIECES) + data[place:]


def _spliced(chance: random.Random, data: bytes, other: bytes) -> bytes:
    (start, end), (first, last) = _span(chance, data), _span(chance, other)
    return data[:start] + other[first:last] + data[end:]


def _absurd(chance: random.Random, data: bytes, _: bytes) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    start, end = chance.choice(found).span()
    return data[:start] + chance.choice(ABSURD) + data[end:]


def _structured(chance: random.Random, data: bytes, _: bytes) -> bytes:
    if data.startswith(PNG):
        return _with_a_chunk_changed(chance, data)
    length = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and length < len(data):  # safetensors
        header = _edited(chance, data[8 : 8 + length])
        return len(header).to_bytes(8, "little") + header + data[8 + length :]
    lines = data.split(b"\n")
    if not data.startswith(b"{\n"):  # one value a line, not one over all lines
        place = chance.randrange(len(lines))
        return b"\n".join([*lines[:place], _edited(chance, lines[place]), *lines[place + 1 :]])
    return _edited(chance, data)


def _with_a_chunk_changed(chance: random.Random, data: bytes) -> bytes:
    """Bytes of one chunk, mostly of the first, which has the size and the type of the pixels."""
    place, places = len(PNG), [len(PNG)]
    while (place := place + 12 + int.from_bytes(data[place : place + 4], "big")) < len(data):
        places.append(place)
    start = chance.choice([places[0], chance.choice(places)])
    end = start + 8 + int.from_bytes(data[start : start + 4], "big")
    content = data[start + 4 : start + 8] + _turned(chance, data[start + 8 : end], b"")
    return data[: start + 4] + content + zlib.crc32(content).to_bytes(4, "big") + data[start + 4 + len(content) + 4 :]


def _edited(chance: random.Random, data: bytes) -> bytes:
    try:
        return json.dumps(_other(chance, json.loads(data))).encode()
    except (ValueError, RecursionError):  # no JSON any more
        return data


def _other(chance: random.Random, value: Any) -> Any:
    """A value in which one place, at any depth, has something else, is gone, or stands under another name as well."""
    if not (isinstance(value, (dict, list)) and value and chance.random() < 0.9):
        return chance.choice(VALUES)
    key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    match chance.randrange(8):
        case 0:
            del value[key]
        case 1 if isinstance(value, dict):
            value[f"{chance.choice(VALUES)}"] = value[key]
        case _:
            value[key] = _other(chance, value[key])
    return value


MUTATIONS = (
    _turned, _cut, _truncated, _repeated, _inserted, _spliced, _absurd, _absurd, _structured, _structured, _structured,
)  # fmt: skip


def _span(chance: random.Random, data: bytes) -> tuple[int, int]:
    """A piece of at most 64 bytes, so that most of an input stays as it was."""
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randint(0, 64))
