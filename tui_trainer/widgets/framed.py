"""Around a chart's curves: axes of our own (they cost one row and one column), marks, the best value, the crosshair."""

from __future__ import annotations

from collections.abc import Mapping

from tui_trainer.theme import Palette
from tui_trainer.widgets import axis
from tui_trainer.widgets.chart import Canvas, Chart, Level
from tui_trainer.widgets.flags import epochs
from tui_trainer.widgets.glyphs import Glyphs
from tui_trainer.widgets.reduction import Frame
from tui_trainer.widgets.rows import Row
from tui_trainer.widgets.tags import put_tags


def framed(chart: Chart, drawn: Canvas | str, width: int, height: int, colours: Palette, marks: Glyphs,
             cursor: float | None = None) -> list[Row]:  # fmt: skip
    """``height`` rows of ``width`` cells: the canvas with everything around and behind its curves."""
    if isinstance(drawn, str):
        return _centred(drawn, width, height, colours.bad if chart.diverged_at is not None else colours.muted)
    rows, frame = [row.copy() for row in drawn.rows], drawn.frame
    if cursor is not None and frame.left <= cursor <= frame.right:
        for row in rows:
            row.put_behind(frame.column(cursor), marks.cursor, colours.text)
    if chart.level:
        _put_level(rows, chart.level, frame, chart.logarithmic, marks)
    for flag in chart.flags:
        if flag.kind.through and frame.left <= flag.step <= frame.right:
            for row in rows:
                row.put_behind(frame.column(flag.step), marks.moment, flag.colour(colours))
    put_tags(rows, chart, frame)
    for number in drawn.names:
        rows[number].put_behind(0, marks.grid * frame.columns, colours.track)
    for number, note in enumerate(drawn.notes[: len(rows)]):
        rows[number].put(max(0, frame.columns - len(note) - 1), f" {note}"[: frame.columns], colours.bad)
    return [*_with_axis(rows, drawn, colours, marks), _bottom(chart, drawn, colours, marks)]


def _centred(words: str, width: int, height: int, colour: str) -> list[Row]:
    rows = [Row.of(" " * width) for _ in range(height)]
    if height:
        rows[height // 2] = Row.of(words[:width].center(width), colour)
    return rows


def _put_level(rows: list[Row], level: Level, frame: Frame, logarithmic: bool, marks: Glyphs) -> None:
    """Behind the curves; its words as far right as there is room, on the line or beside it."""
    value = axis.logarithm(level.value) if logarithmic else level.value
    if not frame.bottom <= value <= frame.top:
        return
    number, width = frame.row(value), len(level.words) + 2
    for near in (number, number + 1, number - 1):
        row = rows[near] if 0 <= near < len(rows) else Row.of("")
        if places := [place for place in range(len(row) - width, -1, -1) if row.free(place, width)]:
            row.put(places[0], f" {level.words} ", level.colour)
            break
    rows[number].put_behind(0, marks.level * frame.columns, level.line)


def _with_axis(rows: list[Row], drawn: Canvas, colours: Palette, marks: Glyphs) -> list[Row]:
    found, margin = [], drawn.margin
    for number, row in enumerate(rows):
        name = drawn.names.get(number)
        start = Row.of((name or "").rjust(margin), colours.muted)
        found.append(start + Row.of(marks.axis if name is None else marks.tick, colours.faint) + row)
    return found


def _bottom(chart: Chart, drawn: Canvas, colours: Palette, marks: Glyphs) -> Row:
    """The bottom line with its numbers and marks: ``└──5───◇───10──epoch``."""
    frame, usual = drawn.frame, (chart.steps_per_epoch, "epoch") if chart.steps_per_epoch else (1, "step")
    scale, unit = chart.unit or usual
    row = Row.of(marks.line * frame.columns, colours.faint)
    for flag in (*epochs(frame.left, frame.right, chart.steps_per_epoch, frame.columns), *chart.flags):
        if frame.left <= flag.step <= frame.right:
            row.put(frame.column(flag.step), flag.kind.glyph(marks), flag.colour(colours))
    _put_unit(row, unit, colours, marks)
    for place, name in _below(chart, frame, scale).items():
        _put_number(row, frame.column(place), name, colours, marks)
    return Row.of(" " * drawn.margin + marks.corner, colours.faint) + row


def _below(chart: Chart, frame: Frame, scale: float) -> Mapping[float, str]:
    """What is written below, by where it stands."""
    if chart.places is not None:
        return {place: name for place, name in chart.places.items() if frame.left <= place <= frame.right}
    few = frame.right - frame.left > 2 * scale
    places = axis.ticks(frame.left / scale, frame.right / scale, max(2, frame.columns // 6), least=1.0 if few else 0.0)
    step = places[1] - places[0] if len(places) > 1 else 1.0
    return {place * scale: axis.label(place, step) for place in places if place > 0}


def _put_unit(row: Row, unit: str, colours: Palette, marks: Glyphs) -> None:
    """At the end or the beginning, where no mark is."""
    for start in (len(row) - len(unit), 0):
        if start >= 0 and {*row.characters[start : start + len(unit)]} <= {marks.line, marks.epoch}:
            row.put(start, unit, colours.muted)
            return


def _put_number(row: Row, column: int, name: str, colours: Palette, marks: Glyphs) -> None:
    """In its place or, where a mark is, beside that; nowhere when it would touch another one."""
    for start in (column - len(name) // 2, column + 1, column - len(name)):
        own = row.characters[start : start + len(name)] if start >= 0 else []
        beside = row.characters[max(0, start - 1) : start] + row.characters[start + len(name) : start + len(name) + 1]
        if len(own) == len(name) and {*own} <= {marks.line, marks.epoch} and not any(map(str.isalnum, beside)):
            row.put(start, name, colours.muted)
            return
