"""The number that a run's files carry. A program that knows less must not guess at what a later one has written."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from core.events import FORMAT

T = TypeVar("T")


class Newer(msgspec.DecodeError):
    """A file of a later version, whatever else can be read of it."""


class _Header(msgspec.Struct):
    format: int = FORMAT


def prepare(*kinds: type[Any]) -> None:
    """To be called once, where a type is defined: msgspec (0.22) learns a type at its first use, and the process crashes when
    two threads are the first at once."""
    for kind in kinds:
        msgspec.json.Decoder(kind)


prepare(_Header)


def decode(data: bytes, kind: type[T]) -> T:
    """A file's JSON object. Raises one of :data:`core.errors.UNREADABLE`, of which :class:`Newer` is one, for anything else."""
    found = msgspec.json.decode(data, type=_Header).format
    if found > FORMAT:
        raise Newer(f"it has format {found}, and this version of tui-trainer knows none after {FORMAT}")
    return msgspec.json.decode(data, type=kind)
