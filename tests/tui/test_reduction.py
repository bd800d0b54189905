"""Fewer spots for a picture: nothing that stands out is lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.view.points import Points
from tui_trainer.widgets.band import put_band
from tui_trainer.widgets.glyphs import UNICODE, Marker
from tui_trainer.widgets.reduction import Frame, Spot, by_column, logarithms, nearest, scaled
from tui_trainer.widgets.rows import Row

values = st.floats(-1e6, 1e6)


@st.composite
def curves(draw: st.DrawFn) -> Points:
    found = Points()
    for step in sorted(draw(st.lists(st.integers(0, 1000), min_size=1, max_size=100))):
        low, mean, high = sorted(draw(st.tuples(values, values, values)))
        found += Points([step], [low], [mean], [high])
    return found


def rows_of(points: Points) -> list[Spot]:
    return [Spot(*point) for point in zip(points.steps, points.lows, points.means, points.highs, strict=True)]


@settings(max_examples=60, deadline=None)
@given(curves(), st.integers(2, 60))
def test_every_column_keeps_its_least_and_its_greatest(points: Points, places: int) -> None:
    found, width = by_column(points, 0, 1000, places), 1000 / (places - 1)
    assert len(found) <= places
    columns = {round(spot.step / width): spot for spot in found}
    assert len(columns) == len(found)
    for spot in found:
        members = [item for item in rows_of(points) if abs(item.step - spot.step) <= width / 2 + 1e-6]
        assert spot.low in {item.low for item in members} and spot.high in {item.high for item in members}
        assert spot.low <= spot.mean + 1e-9 * abs(spot.mean) and spot.mean <= spot.high + 1e-9 * abs(spot.high)
    for item in rows_of(points):
        around = [spot for spot in found if abs(item.step - spot.step) <= width / 2 + 1e-6]
        assert any(spot.low <= item.low and item.high <= spot.high for spot in around)


def test_no_spike_is_lost_among_a_hundred_thousand_points() -> None:
    heights = [1.0] * 100_000
    heights[71_234] = 9.0
    found = by_column(Points.raw(range(100_000), heights), 0, 99_999, 40)
    assert max(spot.high for spot in found) == 9.0 and len(found) == 40


@settings(max_examples=60, deadline=None)
@given(curves(), st.floats(0, 1000), st.floats(1, 500))
def test_a_closer_look_shows_what_lies_between_its_edges(points: Points, left: float, span: float) -> None:
    found = by_column(points, left, left + span, 20)
    inside = [item for item in rows_of(points) if left <= item.step <= left + span]
    assert all(left - 1e-6 <= spot.step <= left + span + 1e-6 for spot in found)
    assert not inside or min(spot.low for spot in found) <= min(item.low for item in inside)
    assert not inside or max(spot.high for spot in found) >= max(item.high for item in inside)


def test_a_line_between_two_far_points_goes_through_the_picture() -> None:
    found = by_column(Points.raw([0, 100], [0.0, 10.0]), 40, 60, 20)
    assert [(spot.step, spot.mean) for spot in found] == [(40, 4.0), (60, 6.0)]


@settings(max_examples=40, deadline=None)
@given(curves())
def test_logarithms_leave_out_what_has_none_and_say_so(points: Points) -> None:
    spots = rows_of(points)
    found, left_out = logarithms(spots)
    assert len(found) == sum(spot.high > 0 for spot in spots)
    assert left_out == any(spot.low <= 0 for spot in spots)
    assert all(low <= mean <= high and math.isfinite(low) for _, low, mean, high in found)


def test_the_nearest_point_on_either_side() -> None:
    points = Points.raw([10, 20, 40], [0.0] * 3)
    assert [points.steps[nearest(points, step)] for step in (0, 12, 16, 29, 31, 99)] == [10, 10, 20, 20, 40, 40]


def test_values_are_shown_times_a_factor() -> None:
    assert scaled([Spot(1, 0.1, 0.2, 0.3)], 100) == [Spot(1, 10.0, 20.0, 30.0)]


# The band


def band(spots: list[Spot], marker: Marker, columns: int = 10, rows: int = 5) -> list[str]:
    frame = Frame(0, 100, 0, 10, columns, rows)
    found = [Row.of(" " * columns) for _ in range(rows)]
    put_band(found, spots, frame, marker, "#ffffff")
    return [row.text for row in found]


def flat(*points: tuple[float, float]) -> list[Spot]:
    return [Spot(step, value, value, value) for step, value in points]


def test_a_band_fills_its_column_from_the_least_to_the_greatest() -> None:
    lines = band([Spot(0, 0, 5, 10), Spot(100, 4.9, 5, 5.1)], UNICODE.markers[2])
    assert [line[0] for line in lines] == ["·"] * 5
    assert [line[-1] for line in lines] == [" ", " ", "·", " ", " "]


@pytest.mark.parametrize("marker", UNICODE.markers, ids=lambda marker: marker.name)
@given(spots=st.lists(st.tuples(st.integers(0, 100), st.floats(0, 10)), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_a_line_has_no_gap(marker: Marker, spots: list[tuple[int, float]]) -> None:
    points = flat(*sorted(dict(spots).items()))
    lines = band(points, marker, columns=12)
    drawn = {(row, column) for row, line in enumerate(lines) for column, character in enumerate(line) if character != " "}
    frame = Frame(0, 100, 0, 10, 12, 5)
    first, last = frame.column(points[0].step), frame.column(points[-1].step)
    for column in range(first + 1, last):
        assert any(at == column for _, at in drawn)
    start = min(drawn, key=lambda cell: cell[1])
    reached, waiting = {start}, [start]
    while waiting:
        row, column = waiting.pop()
        near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & drawn - reached
        reached |= near
        waiting += near
    assert reached == drawn
