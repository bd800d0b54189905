"""The number that a run's files carry. A program that knows less must not guess at what a later one has written."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from core.events import FORMAT

T = TypeVar("T")


class Newer(msgspec.DecodeError):
    """A file of a later version, whatever else can be read of it."""


class _Header(msgspec.Struct):
    format: int = FORMAT


def decode(data: bytes, kind: type[T]) -> T:
    """A file's JSON object. Raises one of :data:`core.errors.UNREADABLE`, of which :class:`Newer` is one, for anything else."""
    found = msgspec.json.decode(data, type=_Header).format
    if found > FORMAT:
        raise Newer(f"it has format {found}, and this version of tui-trainer knows none after {FORMAT}")
    return msgspec.json.decode(data, type=kind)
