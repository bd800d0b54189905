"""Plots: any data, any size, no exception, no spike lost."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from core.view.state import Point
from tui_trainer.theme import DARK, palette
from tui_trainer.widgets.axis import label, scientific, short, ticks
from tui_trainer.widgets.glyphs import ASCII, UNICODE, bar
from tui_trainer.widgets.plot import Chart, Curve, Frame, draw, reduced

COLOURS = palette(DARK.to_color_system().generate())
finite = st.floats(-1e30, 1e30)


def raw(*values: float, every: int = 10) -> tuple[Point, ...]:
    return tuple(Point(every * place, value, value, value) for place, value in enumerate(values, 1))


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


def drawn(chart: Chart, width: int = 40, height: int = 8) -> list[str]:
    return plain(draw(chart, width, height, COLOURS, UNICODE))


@settings(max_examples=60, deadline=None)
@given(st.lists(finite, max_size=30), st.integers(0, 60), st.integers(0, 20), st.integers(0, 7), st.booleans())
def test_any_data_in_any_size_fills_the_box_exactly(
    values: list[float], width: int, height: int, per_epoch: int, band: bool
) -> None:
    chart = Chart((Curve(COLOURS.train, raw(*values), dots=True, band=band),), per_epoch, marks=(5, 999), end=50)
    lines = draw(chart, width, height, COLOURS, UNICODE)
    assert len(lines) == height
    assert all(line.cell_len == width for line in lines)


def test_empty_says_what_it_waits_for() -> None:
    assert any("waiting for the first steps" in line for line in drawn(Chart(())))


def test_one_point_is_a_dot() -> None:
    assert sum(line.count("•") for line in drawn(Chart((Curve(COLOURS.train, raw(1.0)),)))) == 1


def test_equal_values_are_a_line_with_ticks_around_it() -> None:
    lines = drawn(Chart((Curve(COLOURS.train, raw(0.5, 0.5, 0.5)),)))
    assert sum("┤" in line for line in lines) >= 2


@pytest.mark.parametrize("points", [(), raw(1.0, 2.0)], ids=["at once", "later"])
def test_divergence_is_said(points: tuple[Point, ...]) -> None:
    assert any("diverged at step 1,234" in line for line in drawn(Chart((Curve(COLOURS.train, points),), diverged_at=1234)))


def test_no_spike_is_lost_among_ten_thousand_points() -> None:
    values = [1.0] * 10_000
    values[7_123] = 9.0
    frame = Frame(0, 100_000, 0, 10, 40, 8)
    _, ys = reduced(Curve(COLOURS.train, raw(*values), band=True), frame, 40)
    assert max(ys) == 9.0 and len(ys) <= 2 * 41


def test_the_axis_counts_epochs_where_it_can_and_steps_where_not() -> None:
    curve = Curve(COLOURS.train, raw(*[1.0 + 0.1 * place for place in range(40)]))
    epochs, steps = drawn(Chart((curve,), steps_per_epoch=100))[-1], drawn(Chart((curve,)))[-1]
    assert epochs.endswith("epoch") and "─2─" in epochs
    assert steps.endswith("step") and "─200─" in steps


def test_a_moment_is_a_line_behind_the_curves() -> None:
    lines = drawn(Chart((Curve(COLOURS.train, raw(1.0, 2.0, 1.0, 2.0)),), marks=(20,)))
    columns = {line.index("╎") for line in lines if "╎" in line}
    assert len(columns) == 1


def test_later_curves_lie_on_top_in_their_colour() -> None:
    chart = Chart((Curve(COLOURS.train, raw(1.0, 1.0)), Curve(COLOURS.held_out, raw(1.0, 1.0))))
    styles = {str(span.style).upper() for line in draw(chart, 40, 8, COLOURS, UNICODE) for span in line.spans}
    assert COLOURS.held_out in styles and COLOURS.train not in styles


def test_without_braille_it_is_plain_ascii() -> None:
    lines = plain(draw(Chart((Curve(COLOURS.train, raw(1.0, 2.0, 3.0)),), marks=(10,)), 40, 8, COLOURS, ASCII))
    assert "".join(lines).isascii() and "." in "".join(lines)


def test_four_plots_of_a_thousand_points_are_drawn_between_two_frames() -> None:
    curve = tuple(Point(place * 5, 0.9, 1.0 + (place % 7) * 0.1, 1.6) for place in range(1, 1025))
    chart = Chart((Curve(COLOURS.train_raw, curve, band=True), Curve(COLOURS.train, curve)), 500)
    draw(chart, 38, 12, COLOURS, UNICODE)
    begun = time.perf_counter()
    for _ in range(4):
        draw(chart, 38, 12, COLOURS, UNICODE)
    assert time.perf_counter() - begun < 0.2  # about 0.02 s on an idle core


def test_plotext_is_not_imported_before_the_first_line_is_drawn() -> None:
    code = "import sys, tui_trainer.screens.run as r; r.panels(); print(*({'plotext', 'torch'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@given(finite, finite, st.integers(1, 12))
def test_ticks_are_round_and_inside(one: float, other: float, most: int) -> None:
    low, high = min(one, other), max(one, other)
    found = ticks(low, high, most)
    room = (high - low) * 1e-6 + abs(low) * 1e-9
    assert all(low - room <= tick <= high + room for tick in found)
    assert len(found) >= (2 if high - low > 1e-12 * max(abs(low), abs(high), 1e-300) else 0)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"), [(0, 10, 5, [0, 2, 4, 6, 8, 10]), (0.02, 0.31, 3, [0.1, 0.2, 0.3]), (3, 3, 4, [3])]
)
def test_ticks_at_1_2_5(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


def test_numbers_are_short() -> None:
    assert [label(value, 0.5) for value in (0.0, 0.5, 1.0)] == ["0", "0.5", "1.0"]
    assert [label(value, 5e-5) for value in (1e-4, 1.5e-4)] == ["1e-4", "1.5e-4"]
    assert [label(value, 5e-5) for value in (9.5e-4, 1e-3, 1.05e-3)] == ["9.5e-4", "1.00e-3", "1.05e-3"]
    assert scientific(3.25e-5) == "3.2e-5"
    assert [short(value) for value in (None, 0.12345, 12345.6, 1e-5, float("nan"), float("inf"))] == [
        "-", "0.123", "1.235e+04", "1e-5", "NaN", "inf",
    ]  # fmt: skip


@given(st.floats(-1, 2), st.integers(0, 80))
def test_a_bar_keeps_its_width(share: float, width: int) -> None:
    for marks in (UNICODE, ASCII):
        filled, empty = bar(share, width, marks)
        assert len(filled) + len(empty) == width
        assert (len(filled) == width) >= (share >= 1)
