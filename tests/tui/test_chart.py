"""Charts: any data, any size, no exception."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.view.points import Points
from tui_trainer.theme import DARK, palette
from tui_trainer.widgets.axis import label, log_ticks, scientific, short, ticks
from tui_trainer.widgets.chart import NOTHING_HERE, NOTHING_TO_LOG, Canvas, Chart, Level, canvas
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.flags import Flag, Kind
from tui_trainer.widgets.framed import framed
from tui_trainer.widgets.glyphs import ASCII, UNICODE, Glyphs, Marker, bar
from tui_trainer.widgets.rows import Row

COLOURS = palette(DARK.to_color_system().generate())
finite = st.floats(-1e30, 1e30)


def raw(*values: float, every: int = 10) -> Points:
    return Points.raw([every * place for place in range(1, len(values) + 1)], values)


def of(*values: float, **fields: object) -> Chart:
    """One curve, a point every ten steps, to its last."""
    return Chart((Curve(COLOURS.train, raw(*values)),), right=10 * max(len(values), 1))._replace(**fields)  # type: ignore[arg-type]


def rows(chart: Chart, width: int = 40, height: int = 8, marks: Glyphs = UNICODE, marker: Marker | None = None,
         cursor: float | None = None) -> list[Row]:  # fmt: skip
    drawn = canvas(chart, width, height, marks, marker or marks.markers[0])
    return framed(chart, drawn, width, height, COLOURS, marks, cursor)


def texts(chart: Chart, width: int = 40, height: int = 8, marks: Glyphs = UNICODE, marker: Marker | None = None,
          cursor: float | None = None) -> list[str]:  # fmt: skip
    return [row.text for row in rows(chart, width, height, marks, marker, cursor)]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(finite, max_size=30), st.tuples(st.integers(0, 60), st.integers(0, 20)), st.integers(0, 7), st.booleans(),
    st.booleans(), st.tuples(st.integers(0, 300), st.integers(1, 300)), st.sampled_from(UNICODE.markers),
)  # fmt: skip
def test_any_data_in_any_size_and_view_fills_the_box_exactly(
    values: list[float], size: tuple[int, int], per_epoch: int, band: bool, logarithmic: bool, view: tuple[int, int],
    marker: Marker,
) -> None:  # fmt: skip
    chart = Chart(
        (Curve(COLOURS.train, raw(*values), dots=True, band=band),), view[0], view[0] + view[1], logarithmic, per_epoch,
        flags=(Flag(5, Kind.RESUME), Flag(999, Kind.REMARK, "far")), level=Level(1.0, "best 1.0", COLOURS.good, COLOURS.faint),
    )  # fmt: skip
    width, height = size
    lines = rows(chart, width, height, marker=marker, cursor=50)
    assert len(lines) == height
    assert all(row.strip().cell_length == width == len(row.text) for row in lines)


def test_empty_says_what_it_waits_for() -> None:
    assert any("waiting for the first steps" in line for line in texts(Chart(())))


def test_between_two_measurements_goes_their_line_and_outside_of_them_nothing() -> None:
    chart = of(1.0, 2.0, 3.0, left=31, right=40)
    assert any(NOTHING_HERE in line for line in texts(chart))
    assert not any(NOTHING_HERE in line for line in texts(chart._replace(left=12, right=18)))


def test_one_point_is_a_dot() -> None:
    assert sum(line.count("•") for line in texts(of(1.0))) == 1


def test_equal_values_are_a_line_with_ticks_around_it() -> None:
    lines = texts(of(0.5, 0.5, 0.5))
    assert sum("┤" in line for line in lines) >= 2


@pytest.mark.parametrize("values", [(), (1.0, 2.0)], ids=["at once", "later"])
@pytest.mark.parametrize("fields", [{}, {"logarithmic": True}, {"left": 5, "right": 15}], ids=["whole", "log", "closer"])
def test_divergence_is_said(values: tuple[float, ...], fields: dict[str, object]) -> None:
    assert any("diverged at step 1,234" in line for line in texts(of(*values, diverged_at=1234, **fields)))


def test_the_axis_counts_epochs_where_it_can_and_steps_where_not() -> None:
    curve = [1.0 + 0.1 * place for place in range(40)]
    epochs, steps = texts(of(*curve, steps_per_epoch=100))[-1], texts(of(*curve))[-1]
    assert epochs.endswith("epoch") and "2" in epochs and "┴" in texts(of(*curve, steps_per_epoch=50))[-1]
    assert steps.endswith("step") and "─200─" in steps


def test_the_axis_of_a_closer_view_begins_where_that_does() -> None:
    line = texts(of(*[1.0 + place for place in range(40)], left=200, right=300))[-1]
    assert "─220─" in line and "─100─" not in line


# Marks, the best value, the crosshair


def columns(lines: list[str], character: str) -> set[int]:
    return {line.index(character) for line in lines if character in line}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_each_kind_of_mark_has_its_glyph_at_its_step(kind: Kind, marks: Glyphs) -> None:
    chart = of(1.0, 2.0, 1.0, 2.0, flags=(Flag(25, kind, "text"),))
    lines = texts(chart, marks=marks)
    assert kind.glyph(marks) in lines[-1]
    assert bool(columns(lines[:-1], marks.moment)) == kind.through
    assert columns(lines[:-1], marks.moment) <= {lines[-1].index(kind.glyph(marks))}


def test_no_two_kinds_look_alike() -> None:
    for marks in (UNICODE, ASCII):
        assert len({kind.glyph(marks) for kind in Kind}) == len(Kind)


def test_a_mark_is_a_line_behind_the_curves() -> None:
    plain, marked = texts(of(1.0, 2.0, 1.0, 2.0)), texts(of(1.0, 2.0, 1.0, 2.0, flags=(Flag(20, Kind.RESUME),)))
    different = [
        (old, new) for before, after in zip(plain[:-1], marked[:-1], strict=True)
        for old, new in zip(before, after, strict=True) if old != new
    ]  # fmt: skip
    assert different and all(old in " ┈" and new == "╎" for old, new in different)


def test_the_best_value_is_a_line_with_its_words_where_it_is() -> None:
    level = Level(1.5, "best 1.500", COLOURS.held_out, COLOURS.held_out_faint)
    lines = texts(of(1.0, 2.0, 1.0, level=level), height=9)
    (line,) = [line for line in lines if "best 1.500" in line]
    assert "╌" in line and lines.index(line) == 4
    assert not any("best" in line for line in texts(of(1.0, 2.0, level=level._replace(value=9.0))))
    assert not any("best" in line for line in texts(of(1.0, 2.0, level=level._replace(value=0.0), logarithmic=True)))


def test_the_crosshair_lets_the_curve_show() -> None:
    plain, crossed = texts(of(1.0, 1.0, 1.0)), texts(of(1.0, 1.0, 1.0), cursor=20)
    assert sum(line.count("│") for line in crossed) > sum(line.count("│") for line in plain)
    assert all(new == old or (old in " ┈" and new == "│") for before, after in zip(plain, crossed, strict=True)
               for old, new in zip(before, after, strict=True))  # fmt: skip


# Scales and markers


def test_a_logarithmic_scale_has_powers_of_ten() -> None:
    lines = texts(of(1e-4, 1e-2, 1.0, 100.0, logarithmic=True), height=14)
    assert [name for name in ("100", "0.01", "1e-4") if any(line.strip().startswith(name) for line in lines)]
    assert not any("left out" in line for line in lines)


def test_what_has_no_logarithm_is_left_out_in_words() -> None:
    assert any("0 and below left out" in line for line in texts(of(-1.0, 0.0, 1.0, 10.0, logarithmic=True)))
    assert any(NOTHING_TO_LOG in line for line in texts(of(-1.0, 0.0, logarithmic=True), width=60))


@given(st.floats(-290, 290), st.floats(0.001, 100), st.integers(2, 12))
def test_ticks_of_a_logarithmic_axis_are_inside_and_apart(low: float, span: float, most: int) -> None:
    high = min(low + span, 290.0)
    found = list(log_ticks(low, high, most)) if high > low else [low]
    assert all(low - 1e-6 <= place <= high + 1e-6 for place in found)
    assert len(set(found)) == len(found) >= 1


@pytest.mark.parametrize("marker", [*UNICODE.markers, *ASCII.markers], ids=lambda marker: marker.name)
def test_every_marker_draws_the_line(marker: Marker) -> None:
    lines = texts(of(*[math.sin(place / 5) for place in range(60)]), marker=marker)[:-1]
    drawn = [character for line in lines for character in line.partition("│")[2] if character not in " ┈"]
    own = {"braille": "".join(map(chr, range(0x2801, 0x2900))), "quadrants": "▖▗▘▝▀▄▌▐▚▞▛▜▙▟█"}.get(marker.name, marker.symbol)
    assert len(drawn) > 15 and all(character in own for character in drawn)


def test_a_point_that_changes_no_dot_draws_nothing_anew() -> None:
    def drawn(last: float, colour: str, before: Canvas | str = "") -> Canvas:
        chart = Chart((Curve(colour, raw(1.0, 2.0, last)),), right=30)
        found = canvas(chart, 40, 8, UNICODE, UNICODE.markers[0], before)
        assert isinstance(found, Canvas)
        return found

    first = drawn(1.6, COLOURS.train)
    assert drawn(1.6001, COLOURS.train, first).rows is first.rows
    assert drawn(1.9, COLOURS.train, first).rows is not first.rows
    assert drawn(1.6, COLOURS.rate, first).rows is not first.rows


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.floats(0.0, 1.0)), min_size=3, max_size=300), st.integers(1, 4),
    st.sampled_from(UNICODE.markers), st.booleans(),
)  # fmt: skip
def test_what_is_added_at_the_right_is_drawn_as_if_all_were_drawn(
    told: list[tuple[int, float]], new: int, marker: Marker, band: bool
) -> None:
    """Bands to the dot; a line, which may begin elsewhere in its course, to the row."""
    steps, values = [sum(step for step, _ in told[: place + 1]) for place in range(len(told))], [value for _, value in told]

    def drawn(count: int, before: Canvas | str = "") -> Canvas:
        curve = Curve("#ff0000", Points.raw(steps[:count], values[:count]), band=band)
        frame = Curve("#0000ff", Points.raw([0, steps[-1] + 9], [0.0, 1.0]), band=True)  # the same range before and after
        made = canvas(Chart((frame, curve), right=steps[-1] + 9), 60, 9, UNICODE, marker, before)
        assert isinstance(made, Canvas)
        return made

    added, whole = drawn(len(told), drawn(max(len(told) - new, 1))), drawn(len(told))
    if band:
        assert added.rows == whole.rows
    for column in range(whole.frame.columns):
        ends = [[number for number, row in enumerate(made.rows) if row.colours[column] == "#ff0000"] for made in (added, whole)]
        assert bool(ends[0]) == bool(ends[1])
        assert not ends[0] or (abs(ends[0][0] - ends[1][0]) <= 1 and abs(ends[0][-1] - ends[1][-1]) <= 1)


def test_later_curves_lie_on_top_in_their_colour() -> None:
    chart = Chart((Curve(COLOURS.train, raw(1.0, 1.0)), Curve(COLOURS.held_out, raw(1.0, 1.0))), right=20)
    colours = {colour for row in rows(chart) for colour in row.colours}
    assert COLOURS.held_out.lower() in colours and COLOURS.train.lower() not in colours


def test_tagged_curves_end_in_their_tags_never_two_of_them_in_one_number() -> None:
    """Three that end in one place: the one on top nearest to that, the others before it on their own lines."""
    alike = raw(*[1.0] * 20)
    curves = tuple(Curve(COLOURS.train, alike, tag=tag) for tag in "321")
    (line,) = [line for line in texts(Chart(curves, right=200)) if "2" in line.partition("┤")[2]]
    places = [line.rindex(tag) for tag in "321"]
    assert places[0] + 1 < places[1] < places[2] - 1 and places[2] == len(line) - 1


def test_marked_points_of_a_tagged_curve_are_its_tag() -> None:
    chart = Chart((Curve(COLOURS.train, raw(1.0, 2.0, 1.0), dots=True, tag="7"),), right=30)
    assert sum(line.count("7") for line in texts(chart)) == 3 and not any("•" in line for line in texts(chart))


@pytest.mark.parametrize("fields", [{}, {"logarithmic": True}, {"right": 5}], ids=["linear", "log", "out of view"])
def test_tags_of_what_is_not_in_the_picture_are_nowhere(fields: dict[str, object]) -> None:
    chart = Chart((Curve(COLOURS.train, raw(1.0, 2.0)), Curve(COLOURS.rate, raw(-1.0, -1.0), tag="Z")), right=20)
    shown = "".join(texts(chart._replace(**fields)))  # type: ignore[arg-type]
    assert ("Z" in shown) == (not fields)


def test_the_axis_can_count_in_any_unit() -> None:
    bottom = texts(of(*[1.0] * 30, unit=(60.0, "minutes trained")), width=60)[-1]
    assert "minutes trained" in bottom and bottom.index("1") < bottom.index("2") < bottom.index("3")


@pytest.mark.parametrize("value", [5e-324, 4.94e-322, -1e-300, 1e-280])
def test_a_value_next_to_nothing_can_be_drawn(value: float) -> None:
    assert sum("┤" in line for line in texts(of(value, value))) >= 2


def test_without_braille_it_is_plain_ascii() -> None:
    every = tuple(Flag(10, kind) for kind in Kind)
    level = Level(2.0, "best 2.0", COLOURS.good, COLOURS.faint)
    lines = texts(of(1.0, 2.0, 3.0, flags=every, level=level, steps_per_epoch=15), marks=ASCII, cursor=15)
    assert "".join(lines).isascii() and "." in "".join(lines)


def test_plotext_is_not_imported_before_the_first_line_is_drawn() -> None:
    code = "import sys, tui_trainer.screens.run; from tui_trainer.panels import panels; panels(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"plotext", "torch"} & set(done.stdout.split())


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
