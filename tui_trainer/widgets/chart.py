"""Line charts: what a plot shows, and its curves in characters. Any data can be drawn: no points, one, all equal, none above 0,
diverged."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.view.points import Points
from tui_trainer.widgets import axis, plot
from tui_trainer.widgets.band import put_band
from tui_trainer.widgets.flags import Flag
from tui_trainer.widgets.glyphs import Glyphs, Marker
from tui_trainer.widgets.reduction import Frame, Spot, by_column, logarithms, scaled
from tui_trainer.widgets.rows import Row

NARROWEST, LOWEST = 12, 3
"""Cells."""
LEAD = 3
"""Columns that are drawn before those that are wanted, so that lines come from where they came from, to a dot or so."""
NOTHING_TO_LOG = "no value above 0 for a logarithmic scale"
NOTHING_HERE = "nothing between these steps"


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


class Level(NamedTuple):
    """A value worth a horizontal line, with its words."""

    value: float
    words: str
    colour: str
    line: str
    """Colour of the line."""


class Chart(NamedTuple):
    """Steps from ``left`` to ``right`` (written as epochs where ``steps_per_epoch`` is known), later curves on top."""

    curves: tuple[Curve, ...]
    left: float = 0.0
    right: float = 1.0
    logarithmic: bool = False
    steps_per_epoch: int = 0
    diverged_at: int | None = None
    flags: tuple[Flag, ...] = ()
    level: Level | None = None
    empty: str = "waiting for the first steps"


class Dots(NamedTuple):
    """A curve as all that its characters depend on, to the dot. ``spots`` and ``own`` begin with the column of dots."""

    colour: str
    band: bool
    spots: list[tuple[int, ...]]
    own: list[tuple[int, ...]]


class Canvas(NamedTuple):
    """What marks and crosshair are put on: a chart's curves in characters, and the tick of each row that has one."""

    rows: list[Row]
    frame: Frame
    names: dict[int, str]
    notes: tuple[str, ...] = ()
    dots: tuple[Dots, ...] = ()
    marker: Marker | None = None

    @property
    def margin(self) -> int:
        return max(map(len, self.names.values()), default=0)


class Drawn(NamedTuple):
    """A curve as it is in a picture."""

    curve: Curve
    spots: list[Spot]
    own: list[Spot]
    """Its points themselves, where they are marked."""


def canvas(chart: Chart, width: int, height: int, marks: Glyphs, marker: Marker, before: Canvas | str = "") -> Canvas | str:
    """The words instead where there is nothing to be drawn. What was drawn before is taken over where it looks the same."""
    if width < NARROWEST or height < LOWEST:
        return ""
    if not any(curve.points for curve in chart.curves):
        return _diverged(chart) or chart.empty
    drawn, left_out = _drawn(chart, width, marker)
    spots = [spot for item in drawn for spot in item.spots]
    if not spots:
        return NOTHING_TO_LOG if left_out else NOTHING_HERE
    bottom, top = _range(spots)
    names = _names(bottom, top, chart.logarithmic, height - 1)
    margin = max(map(len, names.values()))
    if margin > width // 2:  # too narrow for such numbers
        names, margin = dict.fromkeys(names, ""), 0
    frame = Frame(chart.left, chart.right, bottom, top, width - margin - 1, height - 1)
    notes = [_diverged(chart)] + ["values of 0 and below left out"] * left_out
    made = Canvas([], frame, {frame.row(value): name for value, name in names.items()}, tuple(filter(None, notes)),
                  tuple(_dots(item, frame, marker) for item in drawn), marker)  # fmt: skip
    first = _first_new(before, made) if isinstance(before, Canvas) else 0
    rows = before.rows if isinstance(before, Canvas) and first else []
    return made._replace(rows=rows if first == frame.columns else _rows(drawn, frame, marks, marker, rows, first))


def _diverged(chart: Chart) -> str:
    return "" if chart.diverged_at is None else f"diverged at step {chart.diverged_at:,}"


def _drawn(chart: Chart, width: int, marker: Marker) -> tuple[list[Drawn], bool]:
    """The curves between the edges, in the plot's scale; and whether something has no place in that. Lines that are joined
    need no more than a point a cell."""
    found, left_out = list[Drawn](), False
    for curve in chart.curves:
        places = width * (marker.columns if curve.band else 1)
        spots = scaled(by_column(curve.points, chart.left, chart.right, places), curve.factor)
        own = scaled(_marked(curve, chart, len(spots), width), curve.factor)
        if chart.logarithmic:
            (spots, some), (own, others) = logarithms(spots), logarithms(own)
            left_out = left_out or some or others
        found.append(Drawn(curve, spots, own))
    return found, left_out


def _marked(curve: Curve, chart: Chart, spots: int, width: int) -> list[Spot]:
    if not (curve.dots and spots <= width // 3) and spots != 1:
        return []
    points = zip(curve.points.steps, curve.points.lows, curve.points.means, curve.points.highs, strict=True)
    return [Spot(*point) for point in points if chart.left <= point[0] <= chart.right]


def _range(spots: Sequence[Spot]) -> tuple[float, float]:
    """Somewhat more than the spots take, in steps, so that it stays when they take a little more."""
    bottom, top = min(spot.low for spot in spots), max(spot.high for spot in spots)
    if top - bottom <= max(abs(top), abs(bottom)) * 1e-9 + 1e-290:
        room = abs(top) * 0.1 or 1.0
        return bottom - room, top + room
    step = 2.0 ** math.floor(math.log2((top - bottom) / 24))
    return (math.floor(bottom / step - 0.25) * step, math.ceil(top / step + 0.25) * step)


def _names(bottom: float, top: float, logarithmic: bool, rows: int) -> dict[float, str]:
    """Round numbers by where they are on the axis."""
    wanted = max(2, rows // 3)
    if logarithmic:
        return axis.log_ticks(bottom, top, wanted)
    levels = axis.ticks(bottom, top, wanted)
    step = levels[1] - levels[0] if len(levels) > 1 else top - bottom
    return {level: axis.label(level, step) for level in levels}


def _dots(item: Drawn, frame: Frame, marker: Marker) -> Dots:
    scale = (frame.rows * marker.rows - 1) / (frame.top - frame.bottom)

    def dots(spots: list[Spot]) -> list[tuple[int, ...]]:
        top, parts = frame.top, marker.columns
        return [
            (frame.place(step, parts), round((top - low) * scale), round((top - mean) * scale), round((top - high) * scale))
            for step, low, mean, high in spots
        ]

    return Dots(item.curve.colour, item.curve.band, dots(item.spots), dots(item.own))


def _first_new(before: Canvas, now: Canvas) -> int:
    """The column of cells from which on two pictures may differ; all columns when they do not."""
    frame, marker = now.frame, now.marker
    size = (frame.columns, frame.rows)
    if marker is None or (before.frame.columns, before.frame.rows, before.marker) != (*size, marker):
        return 0
    kinds = [[(dots.colour, dots.band) for dots in canvas.dots] for canvas in (before, now)]
    if kinds[0] != kinds[1]:
        return 0
    places, found = frame.columns * marker.columns, list[int]()
    for old, new in zip(before.dots, now.dots, strict=True):
        found += (_differs_from(old.spots, new.spots, places), _differs_from(old.own, new.own, places))
    return min(found, default=places) // marker.columns


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
    if not item.curve.band:
        yield _line(item.curve, _from_edge(_since(item.spots, left), left), marker.symbol, joined=True)
    yield _line(item.curve, item.own[bisect_left(item.own, left, key=_step) :], marks.dot, joined=False)


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
