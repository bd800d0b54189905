"""A stretch of a run in full: what the decimated whole of a long run leaves out is read from the journal again.

Steps go forward in a journal but where the run was resumed or rewound. Each slice's first and last step, looked up once, say
which slices a stretch lies in, so that the others are not read."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from core.errors import UNREADABLE
from core.events import Event, RunRewound, SessionStart, StepDone, ValidationDone
from core.run.journal import SLICE, JournalReader
from core.view.fold import fold
from core.view.points import Points
from core.view.series import LARGEST, Bin, RawPoint, Series
from core.view.state import State

POINTS = frozenset({StepDone.__name__, ValidationDone.__name__})
CUTS = frozenset({"RunStarted", "RunResumed", "RunRewound"})
"""What takes back all that was said about later steps."""


class Stretch(NamedTuple):
    """Every scalar between two steps, both included: each point where they are few, else in bins finer than the whole's."""

    first: int
    last: int
    series: dict[str, Series]


class Slice(NamedTuple):
    """Some whole lines of a journal: where they stand, and which steps they are about."""

    offset: int
    size: int
    low: float
    high: float
    back_to: float
    """The earliest step that something in it goes back to."""

    def concerns(self, first: int, last: int) -> bool:
        return (self.low <= last and self.high >= first) or self.back_to < last


class _Line(msgspec.Struct, gc=False):
    """Of an event as much as the lookup needs, which decodes several times as fast."""

    type: str
    step: int = 0


_lines = msgspec.json.Decoder(_Line)


class Slices:
    """The slices of a journal, as far as they have been looked at."""

    def __init__(self, path: Path, size: int = SLICE) -> None:
        self.path, self.size = path, size
        self.found: list[Slice] = []
        self._reader = JournalReader(path)

    def extend(self) -> bool:
        """Look at the next one; False when there is none yet."""
        offset = self._reader.whole
        data = self._reader.read_bytes(self.size)
        if data:
            self.found.append(_looked_at(offset, data))
        return not self._reader.at_end


def _looked_at(offset: int, data: bytes) -> Slice:
    try:
        lines = _lines.decode_lines(data)
    except UNREADABLE:  # a torn line, or an event of another program: its steps are not known without reading it
        return Slice(offset, len(data), -math.inf, math.inf, -math.inf)
    steps = [line.step for line in lines if line.type in POINTS]
    cuts = [line.step if line.type != "RunStarted" else 0 for line in lines if line.type in CUTS]
    low, high = min(steps, default=math.inf), max(steps, default=-math.inf)
    return Slice(offset, len(data), low, high, min(cuts, default=math.inf))


def read(slices: Slices, first: int, last: int, go_on: Callable[[], bool], until: float = math.inf) -> Stretch | None:
    """The fold of what the journal's first ``until`` bytes, whole lines, say about the steps from ``first`` to ``last``; None
    when ``go_on`` said no meanwhile."""
    while slices.extend():
        if not go_on():
            return None
    state = State()
    for item in slices.found:
        if item.concerns(first, last) and item.offset < until:
            if not go_on():
                return None
            size = int(min(item.size, until - item.offset))
            state = fold(state, _within(JournalReader(slices.path, item.offset).read(size), first, last))
    return Stretch(first, last, state.series)


def _within(events: list[Event], first: int, last: int) -> Iterator[Event]:
    for event in events:
        points = isinstance(event, (StepDone, ValidationDone)) and first <= event.step <= last
        if points or isinstance(event, (SessionStart, RunRewound)):
            yield event


def points(series: Series, name: str, stretch: Stretch | None) -> Points:
    """A scalar's whole, with what is known in full put in: a stretch that was read, and the recent points. Of a stretch that
    was read when the run had come farther, only what the whole knows of."""
    recent = [point for point in series.recent if -LARGEST < point[1] < LARGEST]
    newest = recent[0][0] if recent else math.inf
    fine = stretch.series.get(name) if stretch else None
    if not stretch or fine is None or not series.bins:
        return Points.of(_between(series, -1, newest)) + _raw(recent)
    bins, last = fine.bins, stretch.last
    if bins and bins[-1].step > series.bins[-1].step:
        bins = bins[: bisect_right(bins, series.bins[-1].step, key=_step)]
        last = bins[-1].step if bins else stretch.first - 1
    later = _raw([point for point in recent if point[0] > last])
    gap = Points.of(_between(series, last, newest))
    return Points.of(_between(series, -1, stretch.first)) + Points.of(bins) + gap + later


def _raw(recent: Sequence[RawPoint]) -> Points:
    return Points.raw([step for step, _ in recent], [value for _, value in recent])


def _between(series: Series, after: int, before: float) -> list[Bin]:
    """The bins after one step and before another. What reaches over ``before`` is put at its last step, so that nothing is
    hidden where finer points do not reach back to the bin's beginning."""
    first = bisect_right(series.bins, after, key=_step)
    last = bisect_left(series.bins, before, key=_step)
    found = list(series.bins[first:last])
    if last < len(series.bins) and max(first, last) == last:
        item = series.bins[last]
        if item.step // series.width * series.width < before and before - 1 > after:
            found.append(replace(item, step=int(before) - 1))
    return found


def _step(item: Bin) -> int:
    return item.step
