"""Several runs side by side: every page at every size, every key, and a run that trains meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.core.hostile import EVIL, hostile, lets_through
from tests.tui import compared
from tests.tui import runs as made
from tests.tui.compared import SIZES, console, settled
from tests.tui.screens import check, seen, text_of
from tests.tui.test_actions import contrast
from tui_trainer import actions, theme
from tui_trainer.screens.compare import PAGES, CompareScreen
from tui_trainer.screens.home import HomeScreen
from tui_trainer.widgets.compared import colour_of, shortened
from tui_trainer.widgets.compared_plot import ComparedPlot, scalar_words
from tui_trainer.widgets.page_tabs import PageTabs

PAIR = ("baseline", "lower-learning-rate-and-a-long-name")


@pytest.fixture
def pair(runs: Path) -> Iterator[list[RunFolder]]:
    """One that is done, one that trains."""
    found = compared.make(runs, PAIR)
    with found[1].hold():
        yield found


def plot_of(pilot: Pilot[Any]) -> ComparedPlot:
    return pilot.app.screen.query_one(ComparedPlot)


def below(pilot: Pilot[Any]) -> str:
    plot = plot_of(pilot)
    assert plot._reads
    words = plot.subtitle(plot._reads, theme.palette(plot.app.theme_variables))
    return words.plain if words else ""


async def pressed(pilot: Pilot[Any], *keys: str) -> str:
    """What is on the screen then."""
    await pilot.press(*keys)
    await settled(pilot)
    return text_of(pilot)


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
        await pilot.pause(0.3)
        assert "at epoch" in text_of(pilot) and "there" in text_of(pilot)


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


async def test_a_run_that_trains_is_followed(pair: list[RunFolder]) -> None:
    with journal.JournalWriter(pair[1].journal) as writer:
        async with console(pair).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot)
            assert "1 training" in text_of(pilot)
            told: e.Metrics = {"train.loss": 0.0125, "train.zeal": 5.0}
            writer.append(e.StepDone(step=770, epoch=8, steps=10, images=1000, seconds=6.6, metrics=told))
            await seen(pilot, "0.013* epoch 7.70")
            assert screen.subjects[1].state.step == 770 and "train.zeal" in screen._scalars()
            writer.append(e.RunFinished(step=770, epoch=8))
            await settled(pilot)
            assert text_of(pilot).count("✓ finished") == 2 and "training" not in text_of(pilot).splitlines()[0]


async def test_feeds_end_with_the_screen(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        threads = [feed._thread for feed in screen._followed.feeds]
        assert all(thread.is_alive() for thread in threads)
        await pilot.press("h")
        await seen(pilot, "baseline")
        for thread in threads:
            thread.join(2.0)
        assert isinstance(pilot.app.screen, HomeScreen) and not any(thread.is_alive() for thread in threads)


async def test_h_and_escape_go_back_to_the_home_that_it_came_from(pair: list[RunFolder]) -> None:
    app = console(pair)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("h")
        await pilot.pause(0.2)
        home = app.screen
        assert isinstance(home, HomeScreen)
        for key in ("h", "escape"):
            app.show_compared(pair)
            await settled(pilot)
            await pilot.press(key)
            await pilot.pause(0.2)
            assert app.screen is home


async def test_q_leaves_and_says_what_goes_on(pair: list[RunFolder], capsys: pytest.CaptureFixture[str]) -> None:
    app = console(pair)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert capsys.readouterr().err == "Training goes on: lower-learning-rate-and-a-long-name\n"


def test_each_action_has_a_method_and_no_key_means_two_things_on_a_page() -> None:
    for action in actions.for_scope("compare"):
        assert callable(getattr(CompareScreen, f"action_{action.id}", None))
    from tui_trainer.screens.compare import ONLY_ON

    for page in PAGES:
        here = [action for action in actions.for_scope("compare") if page in ONLY_ON.get(action.id, PAGES)]
        keys = [key for action in here for key in action.keys]
        assert len(keys) == len(set(keys))
        plots = {key for action in actions.for_scope("plots") for key in action.keys}
        assert page != "curves" or plots & {*keys} <= {"escape"}


async def test_help_and_palette_know_the_keys(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        names = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Next curves", "Axis", "Results", "Home", "Log scale"} <= names and "Difference to" not in names
        await pilot.press("question_mark")
        await seen(pilot, "Comparing runs")


async def test_another_theme_recolours_all(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        dark = {colour for row in plot_of(pilot)._rows for colour in row.colours}
        await pilot.press("t")
        await settled(pilot)
        light = {colour for row in plot_of(pilot)._rows for colour in row.colours}
        assert theme.ON_DARK[0] in dark and theme.ON_LIGHT[0] in light and theme.ON_DARK[0] not in light


def test_the_colours_of_runs_can_be_read_in_every_theme() -> None:
    """Contrast of 4.5 in our own themes, of 3 in the others (WCAG: lines)."""
    for own in theme.OWN:
        ground = Color.parse(own.to_color_system().generate()["background"])
        assert all(contrast(Color.parse(colour), ground) >= 4.5 for colour in theme.of_runs(ground.hex6)), own.name
    for name in theme.NAMES:
        if name in BUILTIN_THEMES:
            ground = Color.parse(BUILTIN_THEMES[name].to_color_system().generate()["background"])
            assert all(contrast(Color.parse(colour), ground) >= 3 for colour in theme.of_runs(ground.hex6)), name
    assert len({*theme.ON_DARK}) == len({*theme.ON_LIGHT}) == 8


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("short", 9, "short"), ("bench-fast-seed-12", 11, "bench…ed-12"), ("漢字漢字漢字", 7, "漢…漢字"),
        ("x\x1b[0m", 20, "x\\x1b[0m"), ("anything", 1, "…"),
    ],
)  # fmt: skip
def test_names_are_cut_in_the_middle(name: str, width: int, shown: str) -> None:
    assert shortened(name, width) == shown


async def test_too_small_a_terminal_says_so(pair: list[RunFolder]) -> None:
    async with console(pair).run_test(size=(59, 16)) as pilot:
        await seen(pilot, "needs 60x16")
        await pilot.resize_terminal(60, 16)
        await settled(pilot)
        assert "baseline" in text_of(pilot)


async def test_runs_without_anything_to_show_say_why(runs: Path) -> None:
    found = compared.make(runs, ("empty", "first-steps"))
    found[0].run_file.write_text("{")
    async with console(found).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "has said nothing yet" in text_of(pilot)
        assert "none of these runs has measured its classes yet" in await pressed(pilot, "3")
        assert "1: its recipe cannot be read" in await pressed(pilot, "4")


async def test_nothing_at_all(runs: Path) -> None:
    found = [made.make(runs, name, made.empty()) for name in ("one", "two")]
    async with console(found).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "none of these runs has told a number yet" in text_of(pilot)
        for key in ("n", "x", "y", "left", "plus", "2", "x", "3", "d", "o", "v", "4"):
            await pilot.press(key)
        assert "no differences" in await pressed(pilot)


async def test_hostile_names_texts_and_figures(runs: Path) -> None:
    from tests.core.hostile import NAME

    found = [made.make(runs, f"{place}{NAME}", map(hostile, compared.animals())) for place in range(2)]
    found.append(made.make(runs, "plain", made.hostile()))
    async with console(found).run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        for key in ("1", "n", "2", "3", "4"):
            text = await pressed(pilot, key)
            assert lets_through(text) == [] and EVIL not in text and "evil" in text
