"""Which curve is which where colours do not tell: a character at its end, or as near to that as no other one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui_trainer.widgets.chart import Chart
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.reduction import Frame, by_column, logarithms, scaled
from tui_trainer.widgets.rows import Row


def put_tags(rows: Sequence[Row], chart: Chart, frame: Frame) -> None:
    taken = set[tuple[int, int]]()
    for curve in chart.curves[::-1]:  # that of the one on top is the nearest
        free = (place for place in _places(curve, chart.logarithmic, frame) if not taken & _around(place))
        if curve.tag and not curve.alone and (place := next(free, None)):
            rows[place[0]].put(place[1], curve.tag, curve.colour)
            taken.add(place)


def _places(curve: Curve, logarithmic: bool, frame: Frame) -> Iterator[tuple[int, int]]:
    """Row and column of each of its spots, the last one first."""
    spots = scaled(by_column(curve.points, frame.left, frame.right, frame.columns), curve.factor)
    for spot in reversed(logarithms(spots)[0] if logarithmic else spots):
        row, column = frame.row(spot.mean), frame.column(spot.step)
        if 0 <= row < frame.rows and 0 <= column < frame.columns:
            yield row, column


def _around(place: tuple[int, int]) -> set[tuple[int, int]]:
    """Two beside each other would read as one number."""
    row, column = place
    return {(row, column + step) for step in (-1, 0, 1)}
