"""A run as it was at any moment: ``python -P -m core.view.replay RUN_DIR`` takes a :class:`Move` a line and answers each with a
:class:`Moment`, before which come Moments without a state while the journal is still being read.

The journal is folded once, from its beginning; of the States on the way some are kept, so that any other is a short fold away.
A place in the journal is the offset of a line in it."""

from __future__ import annotations

import gc
import select
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Literal, TypeAlias

import msgspec

from core.errors import UNREADABLE
from core.files import open_plain
from core.run.folder import RunFolder
from core.run.journal import LONGEST_LINE, JournalReader
from core.view.cache import History
from core.view.chunks import CHUNK, share
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening

Kind: TypeAlias = Literal["hundredth", "second", "epoch", "mark", "start", "end"]

KEPT = 64
"""States; when there are more, every other one is dropped, and from then on half as many are kept."""
KEPT_PLACES = 100_000
"""Of epochs' ends, and of marks."""
EPOCHS = (b'"type":"EpochDone"',)
MARKS = tuple(
    f'"type":"{name}"'.encode() for name in ("RunResumed", "RunRewound", "SettingChanged", "RemarkAdded", "CheckpointSaved")
)
UNNAMED = b'"name":""'
"""In the line of a checkpoint that nobody asked for, which is no mark."""
PREFIX = 4
"""Bytes of an answer's length before it."""


class Move(msgspec.Struct, frozen=True):
    """From a place to another: so many hundredths of the journal, epochs' ends or marks further (back: below 0), or so many
    seconds of the run's own time further."""

    kind: Kind
    by: int
    place: int


class Moment(msgspec.Struct, frozen=True):
    """``state`` is the run after the journal's first ``place`` bytes of ``end``; without one, reading has come so far."""

    place: int
    end: int
    state: State | None


class Written(msgspec.Struct):
    """Of any line: when it was written."""

    time: float = 0.0


class Past:
    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._start = self._read = self._told = History(0, opening(run))
        self._kept = [(0, msgspec.msgpack.encode(self._start.state))]
        self._every = CHUNK
        self._places = {"epoch": array("q"), "mark": array("q")}
        self._reading = self._on()

    def end(self) -> int:
        try:
            return self.run.journal.stat().st_size
        except OSError:
            return 0

    def read_on(self) -> bool:
        """Another stretch of the journal; whether there was one."""
        before = self._read.offset
        self._read = next(self._reading)
        self._index(before, self._read.offset)
        if self._read.offset - self._kept[-1][0] >= self._every:
            self._keep()
        return self._read.offset > before

    def move(self, move: Move, progress: Callable[[int], None] = lambda place: None) -> Moment:
        """Where it leads; of the way there, what is not read yet is read first."""
        while self._read.offset < self._least(move) and self.read_on():
            progress(self._read.offset)
        state = self._at(place := self._target(move))
        whole = place == self._read.offset and not self.read_on()  # behind it is at most half a line
        return Moment(place, place if whole else self.end(), state)

    def _least(self, move: Move) -> int:
        """How far must have been read, to know where a move leads."""
        end = self.end()
        if move.kind == "start":
            return 0
        if move.kind == "hundredth":
            return min(move.place + max(0, move.by) * end // 100, end)
        return end if move.kind == "end" or move.by > 0 else move.place

    def _target(self, move: Move) -> int:
        last = self._read.offset
        match move.kind:
            case "start":
                return 0
            case "end":
                return last
            case "hundredth":
                return self._line(move.place, move.by * self.end() // 100 or move.by)
            case "second":
                return self._within(move.place, move.by)
        places = self._places[move.kind]
        if move.by > 0:
            at = bisect_right(places, move.place) + move.by - 1
            return places[at] if at < len(places) else last
        at = bisect_left(places, move.place) + move.by
        return places[at] if at >= 0 else 0

    def _line(self, place: int, by: int) -> int:
        """The line's end that is so many bytes away: going on the next one, going back the one before."""
        target = min(max(place + by, 0), self._read.offset)
        if by < 0:
            return target
        try:
            with open_plain(self.run.journal) as file:
                file.seek(max(target - 1, 0))
                return min(max(target - 1, 0) + len(file.readline(LONGEST_LINE)), self._read.offset)
        except OSError:
            return self._read.offset

    def _within(self, place: int, seconds: int) -> int:
        """The end of the last line that was written so soon after a place: at least of the next one."""
        begun, end = self._at(place).last_time if place else 0.0, place
        try:
            with open_plain(self.run.journal) as file:
                file.seek(place)
                while end < self._read.offset and (line := file.readline(LONGEST_LINE)):
                    written = _written(line) or begun
                    begun = begun or written
                    if end > place and written > begun + seconds:
                        break
                    end += len(line)
        except OSError:
            return place
        return min(end, self._read.offset)

    def _at(self, place: int) -> State:
        """From what was told last, where that is on the way."""
        offset, kept = self._kept[bisect_right(self._kept, place, key=lambda item: item[0]) - 1]
        near = offset <= self._told.offset <= place
        known = self._told if near else History(offset, msgspec.msgpack.decode(kept, type=State))
        reader, state = JournalReader(self.run.journal, known.offset), known.state
        while reader.offset < place and not reader.trouble:
            before = reader.offset
            state = fold(state, reader.read(min(place - before, CHUNK)))
            if reader.offset == before:
                break  # shorter than it was
        self._told = History(reader.whole, state)
        return state

    def _on(self) -> Iterator[History]:
        known = self._start
        for known in share(self.run.journal, self._start):
            yield known
        reader, state = JournalReader(self.run.journal, known.offset), known.state
        while True:
            state = fold(state, reader.read(CHUNK))
            yield History(reader.whole, state)

    def _keep(self) -> None:
        self._kept.append((self._read.offset, msgspec.msgpack.encode(self._read.state)))
        if len(self._kept) > KEPT:
            self._kept = self._kept[::2]
            self._every *= 2

    def _index(self, start: int, stop: int) -> None:
        try:
            with open_plain(self.run.journal) as file:
                file.seek(start)
                data = file.read(stop - start)
        except OSError:
            return
        for kind, tags in (("epoch", EPOCHS), ("mark", MARKS)):
            ends = sorted(start + end for tag in tags for end in _lines_with(data, tag))
            self._places[kind].extend(ends[: KEPT_PLACES - len(self._places[kind])])


def _written(line: bytes) -> float:
    """0 where the line does not say it."""
    try:
        return msgspec.json.decode(line, type=Written).time
    except UNREADABLE:
        return 0.0


def _lines_with(data: bytes, tag: bytes) -> Iterator[int]:
    """The ends of the lines that hold it."""
    at = data.find(tag)
    while at >= 0:
        end = data.find(b"\n", at)
        if not (tag == MARKS[-1] and UNNAMED in data[at:end]):
            yield end + 1
        at = data.find(tag, end)


def receive(pipe: IO[bytes]) -> Moment:
    """Raises ValueError or what UNREADABLE names where there is none."""
    length = int.from_bytes(pipe.read(PREFIX), "big")
    return msgspec.msgpack.decode(pipe.read(length), type=Moment)


def send(pipe: IO[bytes], moment: Moment) -> None:
    data = msgspec.msgpack.encode(moment)
    pipe.write(len(data).to_bytes(PREFIX, "big") + data)
    pipe.flush()


def main() -> None:
    gc.disable()  # events hold no cycles, and nothing else here is many
    past, asked, answers = Past(RunFolder(Path(sys.argv[1]))), sys.stdin.buffer, sys.stdout.buffer
    while True:
        while not select.select([asked], [], [], 0)[0] and past.read_on():
            pass  # ahead of what will be asked
        line = asked.readline()
        if not line:
            return
        move = msgspec.json.decode(line, type=Move)
        send(answers, past.move(move, lambda place: send(answers, Moment(place, past.end(), None))))


if __name__ == "__main__":
    main()
