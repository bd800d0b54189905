"""Line plots. The lines are plotext's (which is loaded when the first one is drawn);
the axes are ours, so that they cost one row and one column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, product
from typing import Any, NamedTuple, TypeAlias

from rich.text import Text

from core.view.state import Point
from tui_trainer.theme import Palette
from tui_trainer.widgets import drawing
from tui_trainer.widgets.axis import label, ticks
from tui_trainer.widgets.glyphs import Glyphs

Cell: TypeAlias = tuple[str, str]
"""A character and its colour (``#rrggbb``, or nothing)."""

_SGR = re.compile(r"\x1b\[(?:38;2;(\d+);(\d+);(\d+)|0)m")


class Curve(NamedTuple):
    """A line; ``points`` are finite and in the order of their steps."""

    colour: str
    points: tuple[Point, ...]
    dots: bool = False
    """Mark each point, for curves of few."""
    band: bool = False
    """Draw all that lies between the lows and the highs, not the mean."""


class Chart(NamedTuple):
    """What a plot shows: steps to the right (written as epochs where ``steps_per_epoch`` is known), later curves on top."""

    curves: tuple[Curve, ...]
    steps_per_epoch: int = 0
    diverged_at: int | None = None
    marks: tuple[int, ...] = ()
    """Steps of moments worth a line through the picture."""
    end: int = 0
    """The step that the picture reaches to at the least, so that plots side by side agree."""
    empty: str = "waiting for the first steps"


class Frame(NamedTuple):
    """Ranges of the data and the size of the canvas in cells."""

    left: float
    right: float
    bottom: float
    top: float
    columns: int
    rows: int

    def column(self, step: float) -> int:
        return round((step - self.left) / (self.right - self.left) * (self.columns - 1))

    def row(self, value: float) -> int:
        return round((self.top - value) / (self.top - self.bottom) * (self.rows - 1))


def draw(chart: Chart, width: int, height: int, colours: Palette, marks: Glyphs) -> list[Text]:
    """``height`` lines of ``width`` cells. Any data can be drawn: no points, one point, all equal, diverged."""
    points = [point for curve in chart.curves for point in curve.points]
    if not points or width < 12 or height < 3:
        words = _diverged(chart) or (chart.empty if not points else "")
        return _centred(words, width, height, colours.bad if chart.diverged_at is not None else colours.muted)
    bottom, top = _range(points)
    levels = ticks(bottom, top, max(2, (height - 1) // 3))
    step = levels[1] - levels[0] if len(levels) > 1 else top - bottom
    names = {level: label(level, step) for level in levels}
    margin = max(map(len, names.values()))
    if margin > width // 2:  # too narrow for such numbers
        names, margin = dict.fromkeys(names, ""), 0
    frame = Frame(0, max(chart.end, 1, *(point.step for point in points)), bottom, top, width - margin - 1, height - 1)
    rows = {frame.row(level): name for level, name in names.items()}
    cells = _cells(chart.curves, frame, marks)
    for row, mark in product(cells, chart.marks):
        column = min(frame.column(mark), frame.columns - 1)
        row[column] = row[column] if row[column][1] else (marks.moment, colours.warn)
    lines = [_line(cells[row], rows.get(row), margin, colours, marks) for row in range(frame.rows)]
    lines.append(_axis(chart, frame, margin, colours, marks))
    if words := _diverged(chart):
        lines[0] = _over(lines[0], words, colours.bad)
    return lines


def _diverged(chart: Chart) -> str:
    return "" if chart.diverged_at is None else f"diverged at step {chart.diverged_at:,}"


def _centred(words: str, width: int, height: int, colour: str) -> list[Text]:
    lines = [Text(" " * width) for _ in range(height)]
    if height:
        lines[height // 2] = Text(words[:width].center(width), colour)
    return lines


def _over(line: Text, words: str, colour: str) -> Text:
    """``words`` laid over the right end of a line."""
    return Text.assemble(line[: max(0, len(line) - len(words) - 1)], " ", (words, colour))[: len(line)]


def _range(points: Iterable[Point]) -> tuple[float, float]:
    bottom, top = min(point.low for point in points), max(point.high for point in points)
    room = (top - bottom) * 0.02 if top > bottom else abs(top) * 0.1 or 1.0
    return bottom - room, top + room


def _line(cells: list[Cell], name: str | None, margin: int, colours: Palette, marks: Glyphs) -> Text:
    line = Text((name or "").rjust(margin), colours.muted)
    line.append(marks.axis if name is None else marks.tick, colours.faint)
    for colour, run in groupby(cells, key=lambda cell: cell[1]):
        characters = "".join(character for character, _ in run)
        if colour:
            line.append(characters, colour)
        else:
            line.append(characters if name is None else marks.grid * len(characters), colours.track)
    return line


def _axis(chart: Chart, frame: Frame, margin: int, colours: Palette, marks: Glyphs) -> Text:
    """The bottom line, its numbers in it: ``└──5───10──epoch``."""
    scale, unit = (chart.steps_per_epoch, "epoch") if chart.steps_per_epoch else (1, "step")
    places = ticks(0, frame.right / scale, max(2, frame.columns // 6), least=1.0 if frame.right > 2 * scale else 0.0)
    step = places[1] - places[0] if len(places) > 1 else 1.0
    row = [(marks.line, colours.faint)] * frame.columns
    free = frame.columns - len(unit) - 1
    for place in places[1:]:
        name = label(place, step)
        start = frame.column(place * scale) - len(name) // 2
        around = row[max(0, start - 1) : start + len(name) + 1]
        if 0 <= start < free - len(name) and all(character == marks.line for character, _ in around):
            row[start : start + len(name)] = [(character, colours.muted) for character in name]
    row[max(0, frame.columns - len(unit)) :] = [(character, colours.muted) for character in unit[: frame.columns]]
    line = Text(" " * margin + marks.corner, colours.faint)
    for character, colour in row:
        line.append(character, colour)
    return line


def _cells(curves: tuple[Curve, ...], frame: Frame, marks: Glyphs) -> list[list[Cell]]:
    plotext = drawing.plotext()
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(frame.columns, frame.rows)
    figure.axes(False)
    figure.canvas("default")
    figure.legend(False)
    figure.ruler("x").lim(frame.left, frame.right)
    figure.ruler("y").lim(frame.bottom, frame.top)
    figure.ruler(["x", "y"]).ticks([])
    for curve in curves:
        if curve.points:
            _add(plotext, curve, frame, marks)
    return [list(_parsed(line)) for line in figure.build().string().split("\n")[: frame.rows]]


def _add(plotext: Any, curve: Curve, frame: Frame, marks: Glyphs) -> None:
    pixel = plotext.pixel(foreground=_rgb(curve.colour))
    xs, ys = reduced(curve, frame, frame.columns * (1 if curve.band else marks.columns))
    figure = plotext.figure
    figure.draw(figure.signal(xs, ys, marker=plotext.marker(marks.marker, pixel=pixel)).lines())
    if (curve.dots and len(curve.points) <= frame.columns // 3) or len(curve.points) == 1:
        steps, means = [point.step for point in curve.points], [point.mean for point in curve.points]
        figure.draw(figure.signal(steps, means, marker=plotext.marker(marks.dot, pixel=pixel)))


def reduced(curve: Curve, frame: Frame, columns: int) -> tuple[list[float], list[float]]:
    """A curve in at most ``columns`` places: its means there or, of a band, the least and the greatest, so that no spike
    is lost however many points share a place."""
    scale = (columns - 1) / (frame.right - frame.left)
    xs: list[float] = []
    ys: list[float] = []
    for column, group in groupby(curve.points, key=lambda point: round((point.step - frame.left) * scale)):
        members = list(group)
        if curve.band:
            values = sorted({min(point.low for point in members), max(point.high for point in members)})
        else:
            values = [sum(point.mean for point in members) / len(members)]
        xs += [frame.left + column / scale] * len(values)
        ys += values
    return xs, ys


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _parsed(line: str) -> Iterator[Cell]:
    """plotext's line, its colour codes turned into one colour a cell."""
    colour, start = "", 0
    for code in _SGR.finditer(line):
        yield from ((character, colour) for character in line[start : code.start()])
        red, green, blue = code.groups()
        colour = f"#{int(red):02x}{int(green):02x}{int(blue):02x}" if red else ""
        start = code.end()
    yield from ((character, colour) for character in line[start:])
