"""Several runs side by side: every page at every size, and every key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.run.folder import RunFolder
from tests.tui import compared
from tests.tui import runs as made
from tests.tui.compared import PAIR, SIZES, below, console, plot_of, pressed, settled
from tests.tui.screens import check, seen, text_of, until
from tui_trainer import theme
from tui_trainer.screens.compare import PAGES, CompareScreen
from tui_trainer.widgets.compared import colour_of
from tui_trainer.widgets.compared_plot import ComparedPlot, scalar_words
from tui_trainer.widgets.page_tabs import PageTabs


@pytest.fixture
def pair(runs: Path) -> Iterator[list[RunFolder]]:
    """One that is done, one that trains."""
    found = compared.make(runs, PAIR)
    with found[1].hold():
        yield found


@pytest.mark.parametrize("number", [2, 8])
async def test_every_page_at_every_size(runs: Path, number: int) -> None:
    found = compared.make(runs)[:number]
    with ExitStack() as held:
        held.enter_context(found[1].hold())
        async with console(found).run_test(size=SIZES[0]) as pilot:
            await settled(pilot)
            for key, page in enumerate(PAGES, 1):
                await pressed(pilot, str(key))
                for width, height in SIZES:
                    await pilot.resize_terminal(width, height)
                    await settled(pilot)
                    check(f"compare/{number}-{page}-{width}x{height}", text_of(pilot))


async def test_the_pages_by_mouse(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.click(PageTabs, offset=(14, 0))
        await seen(pilot, "the best of its kind")


async def test_n_and_tab_go_through_all_scalars_and_back(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        names = screen._scalars()
        shown = [screen.choice.scalar]
        for key in ("n", "tab", "n", "n", "n", "n", "n", "n", "n", "n"):
            await pilot.press(key)
            shown.append(screen.choice.scalar)
        assert shown == [names[place % len(names)] for place in range(11)]
        assert {"train.loss", "val.loss", "val.accuracy", "train.learning_rate", "system.images_per_second"} <= {*names}
        before = screen.choice.scalar
        await pilot.press("N", "shift+tab", "n", "tab")
        assert screen.choice.scalar == before
        await pilot.press("N")
        assert screen.choice.scalar == names[names.index(before) - 1]
        assert f"╭─ {scalar_words(screen.choice.scalar)} ─" in await pressed(pilot)


async def test_x_goes_along_epochs_time_and_steps(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        plot = plot_of(pilot)
        assert "─epoch " in text_of(pilot) and below(pilot).startswith("by epochs")
        assert plot.end == 12_000
        text = await pressed(pilot, "x")
        assert "minutes trained" in text and "by time trained (pauses left out)" in text
        assert plot.end == round(1000 * 6.6 * 120)
        await pressed(pilot, "x")
        assert below(pilot).startswith("by steps") and plot.end == 1200
        await pressed(pilot, "x")
        assert below(pilot).startswith("by epochs")


async def test_the_crosshair_says_the_values_of_all_runs_there(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pressed(pilot, "n")
        plot, told = plot_of(pilot), [made.validation(epoch).metrics["val.loss"] for epoch in range(1, 13)]
        text = await pressed(pilot, "left")
        assert "at epoch 12.00" in text and "there" in text
        assert plot.value_at(0, 12_000) == told[-1] and plot.value_at(1, 12_000) is None, "the other one is not there yet"
        await pressed(pilot, *["left"] * 5)
        assert plot.view.cursor == 7000 and "at epoch 7.00" in text_of(pilot)
        assert plot.value_at(1, 7000) == pytest.approx(0.9 * float(told[6]))
        assert f"{told[6]:.3f}" in text_of(pilot) and f"{0.9 * float(told[6]):.3f}" in text_of(pilot)
        text = await pressed(pilot, "escape")
        assert plot.view.cursor is None and isinstance(pilot.app.screen, CompareScreen) and "last" in text


async def test_the_mouse_moves_the_crosshair(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.hover(ComparedPlot, offset=(60, 8))
        await until(pilot, lambda: "at epoch" in text_of(pilot) and "there" in text_of(pilot))


async def test_logarithm_smoothing_marker_and_zoom_as_in_every_plot(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert below(pilot) == "by epochs  smoothing 0.8"
        await pressed(pilot, "y", "o")
        assert below(pilot) == "by epochs  log  smoothing 0.9"
        await pressed(pilot, "o", "o")
        assert below(pilot) == "by epochs  log  not smoothed"
        await pressed(pilot, "g")
        assert "▀" in text_of(pilot)
        await pressed(pilot, "plus")
        assert "epoch 6.00 to epoch 12.00, following" in below(pilot)
        await pressed(pilot, "less_than_sign", "0")
        assert plot_of(pilot).view.whole
        await pressed(pilot, "plus", "x")
        assert plot_of(pilot).view.whole, "a stretch of epochs is none of time"


async def test_marks_of_one_run_are_no_marks_of_all(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        offered = {action.id for _, action in screen.offered()}
        assert "cursor_left" in offered and not {"mark_before", "mark_after"} & offered


async def test_each_curve_ends_in_the_number_of_its_run(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        plot, colours = plot_of(pilot), theme.palette(pilot.app.theme_variables)
        assert plot.frame
        for place, end in ((0, 12_000), (1, 7600)):
            column = plot.frame.column(end) + len(plot._rows[0]) - plot.frame.columns
            found = [row.colours[column] for row in plot._rows if row.characters[column] == str(place + 1)]
            assert found == [colour_of(place, colours)]


async def test_i_brings_one_run_after_the_other_to_the_front(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        plot, seen_colours = plot_of(pilot), []
        for _ in range(4):
            colours = {colour for row in plot._rows for colour in row.colours}
            seen_colours.append([theme.ON_DARK[place] in colours for place in (0, 1)])
            await pressed(pilot, "i")
        assert seen_colours == [[True, True], [True, False], [False, True], [True, True]]
        assert below(pilot) == "by epochs  1 in front  smoothing 0.8" and plot._chart.curves[-1].tag == "1"


async def test_d_o_and_v_on_the_classes(runs: Path) -> None:
    found = compared.make(runs, ("baseline", "early", "animals"))
    async with console(found).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        text = await pressed(pilot, "3")
        assert "difference to the first run" in text and "other classes: 2 of its 3" in text and "validation" in text
        rows = [line.split()[1] for line in text.splitlines()[5:15]]
        assert rows == list(made.CLASSES[:10])
        assert "difference to the best of each class" in await pressed(pilot, "d")
        assert "largest differences first" in await pressed(pilot, "o")
        assert screen.choice.by_spread
        text = await pressed(pilot, "v")
        assert "TEST" in text and "3 test is measured at its end" not in text and "test was not measured" in text
        await pressed(pilot, "d", "o", "v")
        assert (screen.choice.reference, screen.choice.by_spread, screen.choice.split) == ("first", False, "validation")


async def test_keys_of_one_page_do_nothing_on_another(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        before = screen.choice
        await pressed(pilot, "d", "v", "4", "n", "x", "d", "o", "v")
        assert screen.choice == before
        await pressed(pilot, "2", "x")
        assert screen.choice == before._replace(by="time")
