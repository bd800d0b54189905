"""From a curve's points to what a picture of so many columns can show. No spike is lost, however many points share a column."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from core.view.points import Points


class Frame(NamedTuple):
    """Ranges of the data and the size of the canvas in cells."""

    left: float
    right: float
    bottom: float
    top: float
    columns: int
    rows: int

    def column(self, step: float) -> int:
        return self.place(step, 1)

    def place(self, step: float, parts: int) -> int:
        """The column of dots, ``parts`` of them a cell. The first and the last cell have their middle on the edges, as they
        have in plotext."""
        return math.floor(((step - self.left) / (self.right - self.left) * (self.columns - 1) + 0.5) * parts)

    def row(self, value: float) -> int:
        return round((self.top - value) / (self.top - self.bottom) * (self.rows - 1))

    def step(self, column: int) -> float:
        """In the middle of a column."""
        return self.left + column * (self.right - self.left) / max(1, self.columns - 1)


class Spot(NamedTuple):
    """What a curve is in a column: ``place`` of its middle in steps."""

    step: float
    low: float
    mean: float
    high: float


def by_column(points: Points, left: float, right: float, places: int) -> list[Spot]:
    """A spot for each of ``places`` equal columns from ``left`` to ``right`` that has points: the least and the greatest of
    them, the mean of their means. Where the line to a point before or after those crosses an edge, there is a spot too."""
    steps, lows, means, highs = points.steps, points.lows, points.means, points.highs
    first, last = bisect_left(steps, left), bisect_right(steps, right)
    width = (right - left) / max(1, places - 1)
    found = [_crossing(points, first, left)] if 0 < first < len(steps) else []
    start = first
    for place in range(places):
        stop = bisect_left(steps, left + (place + 0.5) * width, start, last)
        if stop > start:
            mean = means[start] if stop == start + 1 else sum(means[start:stop]) / (stop - start)
            found.append(Spot(left + place * width, min(lows[start:stop]), mean, max(highs[start:stop])))
            start = stop
    if 0 < last < len(steps):
        found.append(_crossing(points, last, right))
    return found


def _crossing(points: Points, after: int, step: float) -> Spot:
    """Where the line to the point at place ``after`` is at a step."""
    before = after - 1
    span = points.steps[after] - points.steps[before]
    share = (step - points.steps[before]) / span if span > 0 else 0.0
    value = points.means[before] + (points.means[after] - points.means[before]) * share
    return Spot(step, value, value, value)


def scaled(spots: list[Spot], factor: float) -> list[Spot]:
    if factor == 1:
        return spots
    return [Spot(step, low * factor, mean * factor, high * factor) for step, low, mean, high in spots]


def logarithms(spots: list[Spot]) -> tuple[list[Spot], bool]:
    """Base 10, of what is above 0; and whether there was anything else."""
    found, log = list[Spot](), math.log10
    for step, low, mean, high in spots:
        if high > 0:
            mean = mean if mean > 0 else high
            found.append(Spot(step, log(low if low > 0 else mean), log(mean), log(high)))
    return found, len(found) < len(spots) or any(spot.low <= 0 for spot in spots)


def nearest(points: Points, step: float) -> int:
    """Place of the nearest point; there is at least one."""
    place = bisect_left(points.steps, step)
    around = range(max(place - 1, 0), min(place + 1, len(points)))
    return min(around, key=lambda found: abs(points.steps[found] - step))
