"""The screen of compared runs: what trains meanwhile, the way in and out, colours, names, and runs without anything to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.core.hostile import EVIL, hostile, lets_through
from tests.tui import compared
from tests.tui import runs as made
from tests.tui.compared import PAIR, console, plot_of, pressed, settled
from tests.tui.screens import seen, text_of, until
from tests.tui.test_theme import contrast
from tui_trainer import actions, theme
from tui_trainer.screens.compare import PAGES, CompareScreen
from tui_trainer.screens.home import HomeScreen
from tui_trainer.widgets.compared import shortened


@pytest.fixture
def pair(runs: Path) -> Iterator[list[RunFolder]]:
    """One that is done, one that trains."""
    found = compared.make(runs, PAIR)
    with found[1].hold():
        yield found


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
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        home = app.screen
        for key in ("h", "escape"):
            app.show_compared(pair)
            await settled(pilot)
            await pilot.press(key)
            await until(pilot, lambda: app.screen is home)


async def test_q_leaves_and_says_what_goes_on(pair: list[RunFolder], capsys: pytest.CaptureFixture[str]) -> None:
    app = console(pair)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("q")
        await pilot.pause()
    run, next_line = capsys.readouterr().err.splitlines()
    assert run.split()[:2] == ["run", "lower-learning-rate-and-a-long-name:"] and "training goes on" in run
    assert next_line.split()[-1].endswith("lower-learning-rate-and-a-long-name")


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
