"""A long journal in chunks of whole lines, most of them decoded by a second process while the first one folds what they come
to. ``python -P -m core.view.chunks JOURNAL START END`` writes what those come to: a :class:`Frame` each, after its length."""

from __future__ import annotations

import gc
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

import msgspec

from core import events as e
from core.errors import UNREADABLE
from core.events import Event
from core.files import open_plain
from core.run.journal import LONGEST_LINE, JournalReader
from core.view.cache import History
from core.view.decoding import Decoder
from core.view.fold import Told, fold, fold_told, in_a_row, told
from core.view.frequent import Stretch

CHUNK = 1 << 20
"""Bytes."""
OWN = 3
"""Every so many-th chunk is decoded by the first process, which so has as much to do as the second."""
LEAST = 8 * CHUNK
"""A second process does not pay for less."""
AHEAD = 32
"""So many frames may wait: memory is bounded however long the journal."""
LARGEST_FRAME = 16 * CHUNK
PREFIX = 4
"""Bytes of a frame's length before it."""
SECONDS = 5.0
"""That the second process is waited for; one that takes longer hangs."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What the events of a chunk come to; those that are no part of a stretch as their lines."""

    first: int
    """The first one's seq, or -1 where they are not numbered in a row."""
    seq: int
    time: float
    parts: list[Stretch | bytes]


def share(journal: Path, history: History) -> Iterator[History]:
    """Reads on from ``history`` in whole chunks, as far as the journal reaches now."""
    end, state = _size(journal), history.state
    if end - history.offset < LEAST:
        return
    decoder = Decoder()
    with Second(journal, history.offset, end) as second:
        for number, (start, stop) in enumerate(chunks(journal, history.offset, end)):
            frame = second.frame() if number % OWN else None
            if frame is not None and state.seq < frame.first:
                state = fold_told(state, _received(frame))
            else:
                state = fold(state, _events(journal, start, stop, decoder))
            yield History(stop, state)


def chunks(journal: Path, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where chunks begin and end: each time behind a line's end. What is left at last is no whole chunk."""
    with suppress(OSError), open_plain(journal) as file:
        while start + CHUNK < end:
            stop = _next_line(file, start + CHUNK)
            if stop is None or stop > end:
                return
            yield start, stop
            start = stop


def frame(events: list[Event]) -> Frame:
    seq, time, parts = told(events)
    first = events[0].seq if events and in_a_row(events) else -1
    return Frame(first, seq, time, [part if isinstance(part, Stretch) else e.encode(part) for part in parts])


class Second:
    """The process that decodes most chunks. Where it fails, the caller reads those too."""

    def __init__(self, journal: Path, start: int, end: int) -> None:
        self._frames: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._over = threading.Event()
        command = [sys.executable, "-P", "-m", "core.view.chunks", str(journal.absolute()), str(start), str(end)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()
        self._decoder = msgspec.msgpack.Decoder(Frame)

    def frame(self) -> Frame | None:
        """The next one; None when there is none that can be used."""
        try:
            data = None if self._over.is_set() else self._frames.get(timeout=SECONDS)
            if data is not None:
                return self._decoder.decode(data)
        except (queue.Empty, *UNREADABLE):
            pass
        self._over.set()
        return None

    def _receive(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            while (length := self._length(self._process.stdout)) and not self._over.is_set():
                self._frames.put(self._process.stdout.read(length))
        self._frames.put(None)

    def _length(self, pipe: IO[bytes]) -> int:
        length = int.from_bytes(pipe.read(PREFIX), "big")
        return length if length <= LARGEST_FRAME else 0

    def __enter__(self) -> Second:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._process.kill()
        while self._thread.is_alive():  # it may wait for room
            with suppress(queue.Empty):
                self._frames.get_nowait()
            self._thread.join(0.01)
        self._process.wait(SECONDS)


def _received(frame: Frame) -> Told:
    return Told(frame.seq, frame.time, [part if isinstance(part, Stretch) else e.decode(part) for part in frame.parts])


def _events(journal: Path, start: int, stop: int, decoder: Decoder) -> list[Event]:
    with suppress(OSError), open_plain(journal) as file:
        file.seek(start)
        if (found := decoder(file.read(stop - start))) is not None:
            return found
    return JournalReader(journal, start).read(stop - start)


def _next_line(file: BinaryIO, offset: int) -> int | None:
    """Where the first line begins that does so at ``offset`` or later; None when there is none in reach."""
    file.seek(offset - 1)
    rest = file.readline(LONGEST_LINE)
    return offset - 1 + len(rest) if rest.endswith(b"\n") else None


def _size(journal: Path) -> int:
    try:
        return journal.stat().st_size
    except OSError:
        return 0


def main() -> None:
    gc.disable()  # events hold no cycles, and nothing else here is many
    journal, start, end = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    encoder, decoder = msgspec.msgpack.Encoder(), Decoder()
    for number, (begin, stop) in enumerate(chunks(journal, start, end)):
        if number % OWN:
            data = encoder.encode(frame(_events(journal, begin, stop, decoder)))
            sys.stdout.buffer.write(len(data).to_bytes(PREFIX, "big") + data)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
