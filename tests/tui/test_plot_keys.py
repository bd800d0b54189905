"""Every key of a plot, pressed, and the mouse over it; what one plot is told, all show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.tui import runs as made
from tests.tui.plots import above, below, place_of
from tests.tui.screens import console, seen, settled, text_of, until
from tests.tui.test_run_keys import say
from tui_trainer import actions, theme
from tui_trainer.screens.home import HomeScreen
from tui_trainer.widgets.plot_grid import Plot
from tui_trainer.widgets.plot_panel import PlotPanel
from tui_trainer.widgets.view import View


@pytest.fixture
def live(runs: Path) -> Iterator[RunFolder]:
    """760 steps, with marks at 300, 330 and 430."""
    run = made.make(runs, "demo", made.eventful())
    with run.hold():
        yield run


async def focused(pilot: Pilot[Any], run: RunFolder) -> PlotPanel:
    """The plots page, its first plot focused."""
    screen = await settled(pilot, run)
    await pilot.press("2")
    await until(pilot, lambda: screen.focused)
    await settled(pilot, run)
    assert isinstance(screen.focused, Plot) and screen.focused.metric.name == "loss"
    return screen.focused


def plots(pilot: Pilot[Any]) -> list[PlotPanel]:
    return [plot for plot in pilot.app.screen.query(PlotPanel) if plot.is_on_screen]


def colours_of(plot: PlotPanel) -> set[object]:
    return {segment.style.color for strip in plot._strips.values() for segment in strip if segment.style}


def views(pilot: Pilot[Any]) -> set[tuple[float, int | None]]:
    """Of what is drawn, where each plot begins and where its crosshair stands."""
    shown = [plot._reads for plot in plots(pilot)]
    return {(reads.view.edges(reads.end).left, reads.view.cursor) for reads in shown if reads}


async def pressed(pilot: Pilot[Any], *keys: str) -> View:
    await pilot.press(*keys)
    view = plots(pilot)[0].view
    assert len(views(pilot)) == 1, "the plots do not agree"
    assert all(plot._reads and plot._reads.view[:3] == view[:3] for plot in plots(pilot)), "a plot shows another view"
    return view


def test_no_key_of_a_plot_hides_one_of_its_screen() -> None:
    own = {key for action in actions.TABLE if action.scope == "plots" for key in action.keys}
    screen = {key for action in actions.for_scope("run") for key in action.keys}
    assert own & screen <= {"escape"}


async def test_plus_minus_and_0_go_closer_farther_and_back(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        assert (await pressed(pilot, "plus")).edges(560) == (280.0, 560.0)
        assert (await pressed(pilot, "equals_sign")).edges(560) == (420.0, 560.0)
        assert "steps 420 to 560, following" in text_of(pilot)
        assert (await pressed(pilot, "minus")).edges(560) == (280.0, 560.0)
        assert (await pressed(pilot, "0")).whole
        assert "following" not in text_of(pilot)


async def test_along_the_steps_and_back_to_the_newest(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        assert (await pressed(pilot, "plus", "less_than_sign")).edges(560) == (210.0, 490.0)
        assert (await pressed(pilot, "shift+left")).edges(560) == (140.0, 420.0)
        assert (await pressed(pilot, "greater_than_sign", "shift+right", "shift+right")).follows
        assert not (await pressed(pilot, "shift+left")).follows
        assert (await pressed(pilot, "f")).edges(560) == (280.0, 560.0)


async def test_what_is_followed_moves_on_with_the_run(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        await pressed(pilot, "plus")
        say(live, *list(made.training(6))[-4:])
        await settled(pilot, live)
        assert plot.frame and (plot.frame.left, plot.frame.right) == (320.0, 600.0)


async def test_the_crosshair_reads_values_at_a_step(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        assert (await pressed(pilot, "right")).cursor == 560
        assert (await pressed(pilot, "left", "left")).cursor == 540
        told = {event.step: event.metrics for event in journal.find(live.journal, e.StepDone)}
        assert f"train {told[540]['train.loss']:.3f}" in above(plot)
        assert "step 540  epoch 5.40" in below(plot)
        assert (await pressed(pilot, "right")).cursor == 550
        assert all("step 550" in below(other) for other in plots(pilot))


async def test_the_crosshair_takes_the_view_along(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        await pressed(pilot, "plus", "plus", "plus", "plus", "right")
        view = await pressed(pilot, *["left"] * 6)
        assert view.cursor == 500 and view.edges(560) == (500.0, 535.0)


async def test_escape_leaves_the_crosshair_and_then_the_run(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        await pressed(pilot, "left")
        assert (await pressed(pilot, "escape")).cursor is None
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


async def test_the_crosshair_at_a_mark_tells_its_words(live: RunFolder) -> None:
    async with console(live).run_test(size=(200, 60)) as pilot:
        plot = await focused(pilot, live)
        said = {}
        for _ in range(8):
            view = await pressed(pilot, "ctrl+left")
            said[view.cursor] = below(plot)
        assert "» resumed from step-00000500" in said[500] and "◇ step-00000500" in said[500]
        assert "Δ learning rate 0.001 -> 0.00025" in said[450]
        assert "« went back to step-00000400: the loss was NaN" in said[400]
        assert "¶ now [b]with[/b] more care" in said[330]
        assert "◆ saved 'good so far'" in said[240]
        assert (await pressed(pilot, "ctrl+right")).cursor == 200


async def test_y_takes_the_logarithm_of_this_plot_alone(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        before = plot.frame
        await pilot.press("y")
        assert before and plot.frame and plot.frame.top < before.top and below(plot) == "log"
        assert [below(other) for other in plots(pilot)].count("log") == 1
        await pilot.press("y")
        assert plot.frame == before


async def test_o_smooths_otherwise_or_not_at_all(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        assert (await pressed(pilot, "o")).smoothing == 0.9
        assert "smoothing 0.9" in text_of(pilot)
        assert (await pressed(pilot, "o", "o")).smoothing == 0.0
        assert "not smoothed" in text_of(pilot)


async def test_a_closer_view_shows_a_part_of_the_same_smoothed_curve(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        whole = plot._chart.curves[1].points
        await pressed(pilot, "plus", "plus")
        assert plot._chart.curves[1].points == whole and plot._chart.left > 0


async def test_g_draws_with_the_next_marker(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        assert any("\u2801" <= character <= "\u28ff" for character in text_of(pilot))
        await pressed(pilot, "g")
        text = text_of(pilot)
        assert not any("\u2801" <= character <= "\u28ff" for character in text) and "▀" in text
        await pressed(pilot, "g", "g", "g")
        assert any("\u2801" <= character <= "\u28ff" for character in text_of(pilot))


async def test_z_shows_one_plot_alone_and_the_view_stays(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        view = await pressed(pilot, "plus")
        await pilot.press("z")
        await pilot.pause()
        assert plots(pilot) == [plot] and plot.size.width > 100
        assert await pressed(pilot, "plus") != view
        await pilot.press("z")
        await pilot.pause()
        assert len(plots(pilot)) > 3 and len(views(pilot)) == 1


async def test_the_overview_looks_at_the_same_steps(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        view = await pressed(pilot, "plus", "left")
        await pilot.press("1")
        await settled(pilot, live)
        assert len(plots(pilot)) == 3 and views(pilot) == {(280.0, view.cursor)}


async def test_another_theme_recolours_the_plots(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        colours = colours_of(plot)
        await pilot.press("t")
        assert pilot.app.theme == theme.LIGHT.name
        await until(pilot, lambda: not colours & colours_of(plot))


async def test_help_and_palette_know_the_plots_keys(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 60)) as pilot:
        plot = await focused(pilot, live)
        names = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {action.label for action in actions.TABLE if action.scope == "plots" and action.id != "leave_cursor"} <= names
        doer = next(item.callback for item in pilot.app.get_system_commands(pilot.app.screen) if item.title == "Closer")
        doer()
        await pilot.pause()
        assert not plot.view.whole
        await pilot.press("question_mark")
        await seen(pilot, "On a plot")
        await seen(pilot, "Smoothing")


# The mouse


async def wheel(pilot: Pilot[Any], plot: PlotPanel, kind: type[events.MouseEvent], step: float, shift: bool = False) -> None:
    x, y = place_of(plot, step)
    screen_x, screen_y = plot.region.x + x, plot.region.y + y
    pilot.app.screen._forward_event(
        kind(plot, screen_x, screen_y, 0, 0, 0, shift, False, False, screen_x=screen_x, screen_y=screen_y)
    )
    await pilot.pause()


async def test_the_crosshair_follows_the_mouse_and_leaves_with_it(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        await pilot.hover(plot, offset=place_of(plot, 200))
        await pilot.pause()
        assert views(pilot) == {(0.0, 200)}
        await pilot.hover("RunHeader")
        await pilot.pause()
        assert views(pilot) == {(0.0, None)}


async def test_a_click_holds_the_crosshair_and_focuses(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await focused(pilot, live)
        other = plots(pilot)[1]
        await pilot.click(other, offset=place_of(other, 300))
        await pilot.hover("RunHeader")
        await pilot.pause()
        assert pilot.app.screen.focused is other and views(pilot) == {(0.0, 300)}


async def test_the_wheel_goes_closer_about_the_pointer_and_with_shift_along(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        plot = await focused(pilot, live)
        await wheel(pilot, plot, events.MouseScrollUp, 280)
        left, right = plot.view.edges(560)
        assert (left, right) == pytest.approx((56.0, 504.0), abs=3)
        await wheel(pilot, plot, events.MouseScrollDown, 280, shift=True)
        assert plot.view.edges(560).left == pytest.approx(left + 0.1 * (right - left))
        await wheel(pilot, plot, events.MouseScrollDown, 280)
        assert plot.view.whole


async def test_the_wheel_scrolls_a_page_that_scrolls_until_a_plot_is_focused(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("2")
        await settled(pilot, live)
        page, plot = pilot.app.screen.query_one("#plots"), plots(pilot)[1]  # the first one has the focus
        assert page.max_scroll_y > 0
        await wheel(pilot, plot, events.MouseScrollDown, 200)
        await until(pilot, lambda: page.scroll_offset.y > 0)
        assert plot.view.whole
        plot.focus()
        await until(pilot, lambda: plot.has_focus and plot.is_on_screen)
        await wheel(pilot, plot, events.MouseScrollUp, 200)
        assert not plot.view.whole
