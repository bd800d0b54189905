"""Confusion counts as a square of shares, whatever a journal held."""

from __future__ import annotations

from typing import NamedTuple

from core.view.state import Measurement, State

MOST = 256
"""Classes; ours count up to 64."""


class Square(NamedTuple):
    """Row: the true class; column: what it was taken for."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]

    def share(self, truth: int, guess: int) -> float:
        """Of the images of the true class (0 to 1)."""
        return self.counts[truth][guess] / self.totals[truth] if self.totals[truth] else 0.0

    def largest_mistake(self) -> tuple[int, int]:
        places = [(truth, guess) for truth in range(len(self.names)) for guess in range(len(self.names)) if truth != guess]
        return max(places, key=lambda place: self.counts[place[0]][place[1]], default=(0, 0))


class Shares:
    """Of the images of each true class, what share was taken for which; or how much that is more than it was ``earlier``."""

    def __init__(self, later: Square, earlier: Square | None) -> None:
        self.later, self.earlier = later, earlier
        places = range(len(later.names))
        self.values = [[later.share(truth, guess) for guess in places] for truth in places]
        if earlier:
            self.values = [[self.values[truth][guess] - earlier.share(truth, guess) for guess in places] for truth in places]
        beside = (abs(self.values[truth][guess]) for truth in places for guess in places if earlier or truth != guess)
        self.largest = max(beside, default=0.0) or 1.0
        """Of the mistakes or, of a difference, of all."""


def shares(later: Measurement | None, earlier: Measurement | None, compared: bool) -> Shares | None:
    """None where there is nothing to show, or to compare with."""
    after, before = square(later), square(earlier) if compared else None
    if after is None or (compared and (before is None or before.names != after.names)):
        return None
    return Shares(after, before)


def square(measurement: Measurement | None) -> Square | None:
    """None where nothing was counted by pair."""
    if measurement is None or not measurement.confusion or not measurement.classes:
        return None
    size = min(len(measurement.confusion), len(measurement.classes), MOST)
    rows = (row[:size] for row in measurement.confusion[:size])
    counts = tuple(tuple(max(value, 0) for value in (*row, *[0] * (size - len(row)))) for row in rows)
    return Square(tuple(score.name for score in measurement.classes[:size]), counts, tuple(map(sum, counts)))


def no_classes(state: State) -> str:
    """Why there are none, in words."""
    told = state.program and state.measurements
    return "its program has told no classes" if told else "waiting for the names of the classes"


def why_none(measurement: Measurement | None, unwatched: bool) -> str:
    """Why there are no counts, in words."""
    if measurement is None:
        return "this run measures nothing before its end; test comes then" if unwatched else "nothing was measured yet"
    if len(measurement.classes) > 64:
        return f"pairs are counted for at most 64 classes; this run has {len(measurement.classes):,}"
    return "nothing was counted by pair at this measurement"
