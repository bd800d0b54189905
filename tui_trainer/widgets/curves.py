"""A chart's curves in characters: the bands are dots of our own, the lines plotext's. What a living run adds at the right is
drawn alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.view.points import Points
from tui_trainer.widgets import plot
from tui_trainer.widgets.band import put_band
from tui_trainer.widgets.glyphs import Glyphs, Marker
from tui_trainer.widgets.reduction import Frame, Spot
from tui_trainer.widgets.rows import Row

LEAD = 3
"""Columns that are drawn before those that are wanted, so that lines come from where they came from, to a dot or so."""


class Curve(NamedTuple):
    """A line; ``points`` are finite and in the order of their steps."""

    colour: str
    points: Points
    factor: float = 1.0
    """Values are shown times this."""
    dots: bool = False
    """Mark each point, for curves of few."""
    band: bool = False
    """Draw all that lies between the lows and the highs, not the mean."""
    tag: str = ""
    """A character that tells it from others without its colour: at its end, and its points where they are marked."""
    alone: bool = False
    """Points that nothing joins, all of them marked."""


class Drawn(NamedTuple):
    """A curve as it is in a picture."""

    curve: Curve
    spots: list[Spot]
    own: list[Spot]
    """Its points themselves, where they are marked."""


class Dots(NamedTuple):
    """A curve as all that its characters depend on, to the dot. ``spots`` and ``own`` begin with the column of dots."""

    colour: str
    band: bool
    spots: list[tuple[int, ...]]
    own: list[tuple[int, ...]]


class Picture(NamedTuple):
    """All curves in characters."""

    rows: list[Row]
    frame: Frame
    marker: Marker
    dots: tuple[Dots, ...]


def picture(drawn: Sequence[Drawn], frame: Frame, marks: Glyphs, marker: Marker, before: Picture | None) -> Picture:
    """What was drawn before is taken over as far as it looks the same."""
    made = Picture([], frame, marker, tuple(_dots(item, frame, marker) for item in drawn))
    first = _first_new(before, made) if before else 0
    rows = before.rows if before and first else []
    return made._replace(rows=rows if first == frame.columns else _rows(drawn, frame, marks, marker, rows, first))


def _dots(item: Drawn, frame: Frame, marker: Marker) -> Dots:
    scale = (frame.rows * marker.rows - 1) / (frame.top - frame.bottom)

    def dots(spots: list[Spot]) -> list[tuple[int, ...]]:
        top, parts = frame.top, marker.columns
        return [
            (frame.place(step, parts), round((top - low) * scale), round((top - mean) * scale), round((top - high) * scale))
            for step, low, mean, high in spots
        ]

    return Dots(item.curve.colour, item.curve.band, dots(item.spots), dots(item.own))


def _first_new(before: Picture, now: Picture) -> int:
    """The column of cells from which on two pictures may differ; all columns when they do not."""
    if _kind(before) != _kind(now):
        return 0
    marker = now.marker
    places, found = now.frame.columns * marker.columns, list[int]()
    for old, new in zip(before.dots, now.dots, strict=True):
        found += (_differs_from(old.spots, new.spots, places), _differs_from(old.own, new.own, places))
    return min(found, default=places) // marker.columns


def _kind(picture: Picture) -> tuple[object, ...]:
    """Of two that differ in this, nothing is the same."""
    frame, curves = picture.frame, [(dots.colour, dots.band) for dots in picture.dots]
    return frame.columns, frame.rows, picture.marker, curves


def _differs_from(old: list[tuple[int, ...]], new: list[tuple[int, ...]], places: int) -> int:
    """The column of dots of the last spot before the first that is another: from there a line leads to it."""
    if old == new:
        return places
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    return max(new[same - 1][0], 0) if same else 0


def _rows(drawn: Sequence[Drawn], frame: Frame, marks: Glyphs, marker: Marker, before: Sequence[Row], first: int) -> list[Row]:
    """Bands behind lines. The columns before ``first`` are taken from ``before``: what a living run adds is at the right."""
    blank = frame.columns - first
    rows = [row.begun(first) for row in before] or [Row.of("") for _ in range(frame.rows)]
    for row in rows:
        row.put_at_end(" " * blank)
    part, start = _part(frame, first)
    for item in drawn:
        if item.curve.band:
            put_band(rows, _since(item.spots, part.left), frame, marker, item.curve.colour, first)
    if lines := [line for item in drawn for line in _lines(item, part.left, marks, marker) if line.xs]:
        for row, over in zip(rows, plot.drawn(lines, part), strict=True):
            row.lay(over, first, first - start)
    return rows


def _part(frame: Frame, first: int) -> tuple[Frame, int]:
    """The right part of a frame, some columns before the ``first`` that is wanted; and where it begins."""
    start = max(first - LEAD, 0)
    return frame._replace(left=frame.step(start), columns=frame.columns - start), start


def _since(spots: list[Spot], step: float) -> list[Spot]:
    """From the last spot before a step on."""
    return spots[max(bisect_left(spots, step, key=_step) - 1, 0) :]


def _step(spot: Spot) -> float:
    return spot.step


def _lines(item: Drawn, left: float, marks: Glyphs, marker: Marker) -> Iterator[plot.Line]:
    if not (item.curve.band or item.curve.alone):
        yield _line(item.curve, _from_edge(_since(item.spots, left), left), marker.symbol, joined=True)
    yield _line(item.curve, item.own[bisect_left(item.own, left, key=_step) :], item.curve.tag or marks.dot, joined=False)


def _from_edge(spots: list[Spot], left: float) -> list[Spot]:
    """What begins before an edge, from there on."""
    if not spots or spots[0].step >= left:
        return spots
    if len(spots) == 1:
        return []
    (step, *_), (then, *_) = spots[:2]
    mean = spots[0].mean + (spots[1].mean - spots[0].mean) * (left - step) / (then - step)
    return [Spot(left, mean, mean, mean), *spots[1:]]


def _line(curve: Curve, spots: Sequence[Spot], symbol: str, joined: bool) -> plot.Line:
    return plot.Line(curve.colour, [spot.step for spot in spots], [spot.mean for spot in spots], symbol, joined)
