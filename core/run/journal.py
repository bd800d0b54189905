"""``events.jsonl``: one event a line, only ever appended to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, overload

import msgspec

from core import events
from core.errors import UNREADABLE
from core.events import Event, RunFinished, RunResumed
from core.files import open_plain, open_to_append

One = TypeVar("One", bound=Event)
Two = TypeVar("Two", bound=Event)
Three = TypeVar("Three", bound=Event)

SLICE = 1 << 18
"""Bytes that a reader takes at a time: about 2,000 lines, some milliseconds of decoding."""
LONGEST_LINE = 4 << 20
"""A longer line is no event of ours; it is skipped, so that a hostile journal cannot fill the memory."""


class JournalWriter:
    """The one writer. After a torn tail (the last process was killed in mid-line, or the disk took half a line) it begins with
    a newline."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_to_append(path)
        self._seq = next_seq(path)
        self._torn = not _ends_with_newline(path)

    def append(self, event: Event) -> Event:
        """Write one event with its seq and time; returns it as written. Raises OSError when the disk does not take it; it may
        then be appended again, and readers see it once."""
        stamped = msgspec.structs.replace(event, seq=self._seq, time=event.time or time.time())
        self._write(events.encode(stamped) + b"\n")
        self._seq += 1
        return stamped

    def extend(self, told: Iterable[Event]) -> None:
        """The same for many, in one go. Raises OSError; then some of them may be there."""
        now = time.time()
        stamped = [msgspec.structs.replace(event, seq=seq, time=event.time or now) for seq, event in enumerate(told, self._seq)]
        self._seq += len(stamped)
        self._write(b"".join(events.encode(event) + b"\n" for event in stamped))

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """Everything appended so far survives a power cut from here on."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        rest = b"\n" + data if self._torn else data
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                if rest != b"\n":
                    self._torn = self._torn or len(rest) < len(data)
                    raise
                break  # the event is there, and the next one brings the newline
        self._torn = bool(rest)


class JournalReader:
    """Reads from any byte on and keeps a line that is not yet whole back until it is."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self.broken = 0
        """Lines that were no events (a torn line after a kill counts as one)."""
        self.trouble: OSError | None = None
        """Why the last read gave nothing, other than that there is no journal yet."""
        self._rest = b""

    def read(self, limit: int = SLICE) -> list[Event]:
        """The whole events among the next ``limit`` bytes; an empty list when nothing new is there, or it cannot be read."""
        data = self.read_bytes(limit)
        found = events.decode_lines(data)
        return found if found is not None else [event for _, event in self._decoded(data)]

    def read_lines(self, limit: int = SLICE) -> list[tuple[bytes, Event]]:
        """The same, each event with the line that it stood on."""
        return self._decoded(self.read_bytes(limit))

    def read_bytes(self, limit: int = SLICE) -> bytes:
        """The same as whole lines, not decoded."""
        try:
            with open_plain(self.path) as file:
                file.seek(self.offset)
                data = file.read(limit)
        except OSError as error:
            self.trouble = None if isinstance(error, FileNotFoundError) else error
            return b""
        self.trouble = None
        self.offset += len(data)
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        return lines + newline

    def _decoded(self, lines: bytes) -> list[tuple[bytes, Event]]:
        found = [(line, _decoded(line)) for line in lines.split(b"\n") if line]
        self.broken += sum(event is None for _, event in found)
        return [(line, event) for line, event in found if event is not None]

    @property
    def whole(self) -> int:
        """Up to which byte the events have been given: where another reader can go on."""
        return self.offset - len(self._rest)

    @property
    def at_end(self) -> bool:
        """Whether all that is in the file now, and can be, has been read."""
        try:
            return self.trouble is not None or self.offset >= self.path.stat().st_size
        except OSError:
            return True


def read_all(path: Path) -> list[Event]:
    """Every whole event of a journal, in order; none when there is no journal."""
    reader, found = JournalReader(path), list[Event]()
    while not reader.at_end:
        found += reader.read()
    return found


@overload
def find(path: Path, kind: type[One], /) -> list[One]: ...
@overload
def find(path: Path, kind: type[One], other: type[Two], /) -> list[One | Two]: ...
@overload
def find(path: Path, kind: type[One], other: type[Two], third: type[Three], /) -> list[One | Two | Three]: ...
@overload
def find(path: Path, *kinds: type[Event]) -> list[Event]: ...
def find(path: Path, *kinds: type[Event]) -> list[Any]:
    """The events of some kinds, without decoding the others."""
    tags = [f'"type":"{kind.__name__}"'.encode() for kind in kinds]
    try:
        with open_plain(path) as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), b"")
            found = [_decoded(line) for line in lines if any(tag in line for tag in tags)]
    except OSError:
        return []
    return [event for event in found if isinstance(event, kinds)]


def finished(path: Path) -> RunFinished | None:
    """The run's RunFinished, unless it was resumed since."""
    ends = find(path, RunFinished, RunResumed)
    return ends[-1] if ends and isinstance(ends[-1], RunFinished) else None


def next_seq(path: Path) -> int:
    """One more than the last whole event's seq, looked for from the end."""
    size = path.stat().st_size if path.exists() else 0
    span = SLICE
    while size:
        reader = JournalReader(path, max(0, size - span))
        seqs = [event.seq for event in reader.read(span)]
        if seqs:
            return max(seqs) + 1
        if span >= size:
            break
        span *= 4
    return 0


def _decoded(line: bytes) -> Event | None:
    try:
        return events.decode(line)
    except UNREADABLE:
        return None


def _ends_with_newline(path: Path) -> bool:
    size = path.stat().st_size
    if not size:
        return True
    with open_plain(path) as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
