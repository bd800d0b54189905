"""Line charts: what a plot shows, its scale and its ticks. Any data can be drawn: no points, one, all equal, none above 0,
diverged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui_trainer.widgets import axis
from tui_trainer.widgets.curves import Curve, Drawn, Picture, picture
from tui_trainer.widgets.flags import Flag
from tui_trainer.widgets.glyphs import Glyphs, Marker
from tui_trainer.widgets.reduction import Frame, Spot, by_column, logarithms, scaled
from tui_trainer.widgets.rows import Row

NARROWEST, LOWEST = 12, 3
"""Cells."""
SMALLEST = 1e-280
"""Less around a value cannot be divided into rows."""
NOTHING_TO_LOG = "no value above 0 for a logarithmic scale"
NOTHING_HERE = "nothing between these steps"


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
    unit: tuple[float, str] | None = None
    """Of the numbers below: how many steps it is, and its name."""
    places: Mapping[float, str] | None = None
    """What stands below in place of numbers, by where."""


class Canvas(NamedTuple):
    """What marks and crosshair are put on: a chart's curves in characters, and the tick of each row that has one."""

    curves: Picture
    names: dict[int, str]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[Row]:
        return self.curves.rows

    @property
    def frame(self) -> Frame:
        return self.curves.frame

    @property
    def margin(self) -> int:
        return max(map(len, self.names.values()), default=0)


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
    curves = picture(drawn, frame, marks, marker, before.curves if isinstance(before, Canvas) else None)
    return Canvas(curves, {frame.row(value): name for value, name in names.items()}, tuple(filter(None, notes)))


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
    if not (curve.dots and spots <= width // 3) and not curve.alone and spots != 1:
        return []
    points = zip(curve.points.steps, curve.points.lows, curve.points.means, curve.points.highs, strict=True)
    return [Spot(*point) for point in points if chart.left <= point[0] <= chart.right]


def _range(spots: Sequence[Spot]) -> tuple[float, float]:
    """Somewhat more than the spots take, in steps, so that it stays when they take a little more."""
    bottom, top = min(spot.low for spot in spots), max(spot.high for spot in spots)
    if top - bottom <= max(abs(top), abs(bottom)) * 1e-9 + 1e-290:
        room = abs(top) * 0.1 if abs(top) > SMALLEST else 1.0
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
