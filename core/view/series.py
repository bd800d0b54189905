"""One scalar over a run in bounded memory: the whole run in bins that widen as it grows, the latest points in full.

How points are cut into batches never changes the result: every point is applied in order by the same rule, bins are aligned
to multiples of their width, and the width doubles at the very point that makes one bin too many.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate
from operator import add
from typing import NamedTuple, TypeAlias

import msgspec

WHOLE_BINS = 1024
RECENT_POINTS = 1024
LARGEST = 1e290
"""Beyond this a value counts as infinite, so that no sum of finite values overflows."""

RawPoint: TypeAlias = tuple[int, float]


class Point(NamedTuple):
    """A stretch of a scalar: ``step`` is the last step in it; one raw point has low == mean == high."""

    step: int
    low: float
    mean: float
    high: float


class Bin(msgspec.Struct, frozen=True):
    """All finite points whose step lies in one stretch of ``width`` steps."""

    step: int
    low: float
    high: float
    total: float
    count: int

    @property
    def mean(self) -> float:
        """Kept within low and high, which rounding could leave by a hair."""
        return min(max(self.total / self.count, self.low), self.high)

    @property
    def finite(self) -> bool:
        """Whether all its points were: a NaN, which compares with nothing, stays in the total."""
        return self.low > -LARGEST and self.high < LARGEST and not math.isnan(self.total)

    def with_values(self, step: int, values: Sequence[float]) -> Bin:
        """Added one after the other (``sum`` is more exact on newer Pythons, and so would depend on the batch)."""
        return Bin(
            max(self.step, step), min(self.low, min(values)), max(self.high, max(values)),
            reduce(add, values, self.total), self.count + len(values),
        )  # fmt: skip

    def joined(self, later: Bin) -> Bin:
        return Bin(
            max(self.step, later.step), min(self.low, later.low), max(self.high, later.high),
            self.total + later.total, self.count + later.count,
        )  # fmt: skip


class Series(msgspec.Struct, frozen=True):
    """``bins`` covers the run whole, ``recent`` its last points in full; never changed in place."""

    width: int = 1
    bins: tuple[Bin, ...] = ()
    recent: tuple[RawPoint, ...] = ()
    diverged_at: int | None = None
    """The first step at which it was NaN or infinite; such values are in ``recent`` and ``last`` but in no bin."""

    @property
    def last(self) -> float | None:
        """The latest value (after a long rewind the mean of the last bin), or None before the first."""
        if self.recent:
            return self.recent[-1][1]
        return self.bins[-1].mean if self.bins else None

    def points(self) -> Iterator[Point]:
        """The whole run, oldest first, finite values only."""
        for item in self.bins:
            yield Point(item.step, item.low, item.mean, item.high)


def extended(series: Series, steps: Sequence[int], values: Sequence[float]) -> Series:
    """The series with more points, given in the order of their events. A step below the last one joins the last bin."""
    recent = (*series.recent, *zip(steps[-RECENT_POINTS:], values[-RECENT_POINTS:], strict=True))[-RECENT_POINTS:]
    width, bins = _binned(series.width, list(series.bins), steps, values)
    changed = bins[max(len(series.bins) - 1, 0) :] if width == series.width else bins
    if all(item.finite for item in changed):  # looked at afterwards, since looking at each value takes as long as the bins
        return Series(width, tuple(bins), recent, series.diverged_at)
    diverged_at = series.diverged_at
    if diverged_at is None:
        diverged_at = next(step for step, value in zip(steps, values, strict=True) if not -LARGEST < value < LARGEST)
    width, bins = _binned(series.width, list(series.bins), *_finite(zip(steps, values, strict=True)))
    return Series(width, tuple(bins), recent, diverged_at)


def _finite(points: Iterable[RawPoint]) -> tuple[list[int], list[float]]:
    found = [(step, value) for step, value in points if -LARGEST < value < LARGEST]
    return [step for step, _ in found], [value for _, value in found]


def _binned(width: int, bins: list[Bin], steps: Sequence[int], values: Sequence[float]) -> tuple[int, list[Bin]]:
    """A step below the one before it counts as that one."""
    if steps != sorted(steps):
        steps = list(accumulate(steps, max))
    start = 0
    while start < len(steps):
        if not bins or steps[start] > (end := _end(bins[-1].step, width)):
            bins.append(Bin(steps[start], values[start], values[start], values[start], 1))
            width, bins = _coarser(width, bins)
            start += 1
        else:
            stop = bisect_right(steps, end, start)
            bins[-1] = bins[-1].with_values(steps[stop - 1], values[start:stop])
            start = stop
    return width, bins


def rewound(series: Series, step: int) -> Series:
    """The series as it was at ``step``, as far as it is still known.

    A bin that straddles the step is built anew when ``recent`` holds all its points, else it stays whole."""
    recent = tuple(point for point in series.recent if point[0] <= step)
    bins = [item for item in series.bins if item.step <= step]
    if len(bins) < len(series.bins):
        straddling = series.bins[len(bins)]
        if step // series.width == straddling.step // series.width:
            bins += _rebuilt(straddling, series, step)
    diverged_at = series.diverged_at
    return Series(series.width, tuple(bins), recent, None if diverged_at is None or diverged_at > step else diverged_at)


def _rebuilt(straddling: Bin, series: Series, step: int) -> list[Bin]:
    stretch = straddling.step // series.width
    steps, values = _finite(point for point in series.recent if point[0] // series.width == stretch)
    if len(steps) < straddling.count:
        return [msgspec.structs.replace(straddling, step=step)]
    kept = [place for place, at in enumerate(steps) if at <= step]
    return _binned(series.width, [], [steps[place] for place in kept], [values[place] for place in kept])[1]


def _end(step: int, width: int) -> int:
    """The last step of the stretch that ``step`` lies in."""
    return (step // width + 1) * width - 1


def _coarser(width: int, bins: list[Bin]) -> tuple[int, list[Bin]]:
    while len(bins) > WHOLE_BINS:
        width *= 2
        joined = bins[:1]
        for item in bins[1:]:
            if item.step // width == joined[-1].step // width:
                joined[-1] = joined[-1].joined(item)
            else:
                joined.append(item)
        bins = joined
    return width, bins
