"""Which steps all plots show: closer, farther, along, and back to the newest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.widgets.view import FEWEST_STEPS, SMOOTHINGS, View, rounded_up

END = 1000
moves = st.one_of(
    st.tuples(st.just("zoomed"), st.floats(0.1, 3.0)),
    st.tuples(st.just("panned"), st.floats(-1.0, 1.0)),
    st.tuples(st.just("over"), st.integers(0, END)),
)


def moved(view: View, move: tuple[str, float], end: float = END) -> View:
    kind, by = move
    return view.zoomed(by, end) if kind == "zoomed" else view.panned(by, end) if kind == "panned" else view.over(int(by), end)


@given(st.lists(moves, max_size=20), st.none() | st.integers(0, END), st.integers(0, 3 * END))
def test_wherever_one_goes_there_are_steps_of_the_run(path: list[tuple[str, float]], cursor: int | None, later: int) -> None:
    view = View(cursor=cursor)
    for move in path:
        view = moved(view, move)
        for end in (END, END + later):
            left, right = view.edges(end)
            assert -1e-6 <= left < right <= rounded_up(end, view.span or end) + 1e-6
            assert view.whole or right - left >= FEWEST_STEPS - 1e-6


@given(st.integers(1, 10**9))
def test_the_end_is_rounded_up_by_a_sixteenth_at_the_most(end: int) -> None:
    assert end <= rounded_up(end, end) <= end * (1 + 1 / 16)


@given(st.integers(0, 3))
def test_a_run_that_has_hardly_begun_can_be_looked_at(end: int) -> None:
    assert View().zoomed(0.5, end).edges(end) == (0.0, max(end, 1))


def test_closer_keeps_the_newest_while_that_is_followed() -> None:
    view = View().zoomed(0.5, END).zoomed(0.5, END)
    assert view.follows and view.edges(END) == (750.0, 1000.0)
    assert view.edges(2000) == (1750.0, 2000.0)


def test_closer_keeps_the_crosshair_in_its_place() -> None:
    view = View(cursor=250).zoomed(0.5, END)
    assert view.edges(END) == (125.0, 625.0) and not view.follows
    assert view.edges(2000) == (125.0, 625.0)


def test_closer_about_the_pointer() -> None:
    assert View().zoomed(0.1, END, about=600).edges(END) == (540.0, 640.0)


def test_farther_than_all_is_all_and_follows() -> None:
    view = View(cursor=250).zoomed(0.5, END).zoomed(2.0, END)
    assert view.whole and view.follows and view.cursor == 250


def test_along_to_the_newest_follows_it_and_away_from_it_does_not() -> None:
    view = View().zoomed(0.5, END).panned(-0.25, END)
    assert view.edges(END) == (375.0, 875.0) and not view.follows
    assert view.panned(0.25, END).follows
    assert view.panned(-9, END).edges(END) == (0.0, 500.0)


def test_no_farther_than_it_takes_to_show_a_step() -> None:
    view = View(span=100, right=500)
    assert view.over(450, END) == view
    assert view.over(520, END).edges(END) == (420.0, 520.0)
    assert view.over(330, END).edges(END) == (330.0, 430.0)


def test_smoothing_goes_round() -> None:
    view, seen = View(), []
    for _ in SMOOTHINGS:
        view = view.smoother(1)
        seen.append(view.smoothing)
    assert sorted(seen) == sorted(SMOOTHINGS) and seen[-1] == View().smoothing


@pytest.mark.parametrize("name", ["loss", "accuracy"])
def test_each_plot_has_a_scale_of_its_own(name: str) -> None:
    view = View().with_other_scale(name)
    assert view.logarithmic == {name} and not view.with_other_scale(name).logarithmic
