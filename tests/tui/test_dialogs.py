"""Boxes over a screen: keys that come too fast, or unseen, or by habit do no harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from core.run.folder import RunFolder, list_runs
from tests.tui import runs as made
from tests.tui import states
from tests.tui.screens import console, seen, settled, until
from tests.tui.test_home import add, selected
from tests.tui.test_home import console as home
from tests.tui.test_home import settled as home_settled
from tui_trainer.screens.ask import AskScreen
from tui_trainer.screens.confirm import ConfirmScreen
from tui_trainer.screens.help import HelpScreen
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.pick import PickScreen


@pytest.fixture
def live(runs: Path) -> Iterator[RunFolder]:
    run = made.make(runs, "demo", made.paused())
    with run.hold():
        yield run


async def at_once(pilot: Pilot[Any], *keys: str) -> None:
    """As a slow line brings them: all are there before the first one is heeded."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize(
    ("opening", "keys"),
    [("x", "ee"), ("c", "oo"), ("c", ("down", "enter", "enter")), ("n", ("x", "enter", "enter")), ("question_mark", "qq")],
)
async def test_a_second_key_closes_nothing_that_lies_below(live: RunFolder, opening: str, keys: str) -> None:
    boxes = (ConfirmScreen, PickScreen, AskScreen, HelpScreen)
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        await pilot.press(opening)
        await until(pilot, lambda: isinstance(pilot.app.screen, boxes))
        await at_once(pilot, *keys)
        await until(pilot, lambda: screen in pilot.app.screen_stack)
        while isinstance(pilot.app.screen, boxes):  # the next question
            await pilot.press("escape")
            await pilot.pause()
        assert pilot.app.screen is screen
        await seen(pilot, "Help")


async def test_a_delete_that_is_confirmed_twice_at_once_leaves_home_as_it_was(runs: Path) -> None:
    for name in ("one", "two"):
        add(runs, name, made.stopped())
    async with home(runs).run_test(size=(80, 24)) as pilot:
        screen = await home_settled(pilot)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await at_once(pilot, "y", "y")
        await until(pilot, lambda: len(list_runs(runs)) == 1)
        assert pilot.app.screen is screen


async def test_enter_alone_loses_nothing(runs: Path) -> None:
    add(runs, "one", made.stopped())
    async with home(runs).run_test(size=(80, 24)) as pilot:
        await home_settled(pilot)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        assert len(list_runs(runs)) == 1


async def test_keys_do_nothing_on_a_screen_that_is_not_shown_and_the_focus_comes_back(runs: Path) -> None:
    for name in ("one", "two"):
        add(runs, name, made.stopped())
    async with home(runs).run_test(size=(80, 24)) as pilot:
        screen = await home_settled(pilot)
        await pilot.resize_terminal(40, 10)
        await seen(pilot, "needs 60x16")
        await pilot.press("D", "y")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: selected(screen))
        assert pilot.app.screen is screen and len(list_runs(runs)) == 2
        before = selected(screen)
        await pilot.press("down")
        assert selected(screen) != before
        await pilot.press("slash", "o")
        await pilot.resize_terminal(40, 10)
        await seen(pilot, "needs 60x16")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: isinstance(pilot.app.screen.focused, Input))
        await pilot.press("n")
        assert screen.query_one(Input).value == "on"


async def test_one_can_leave_a_terminal_that_is_too_small(runs: Path) -> None:
    add(runs, "one", made.stopped())
    async with home(runs).run_test(size=(40, 10)) as pilot:
        await seen(pilot, "needs 60x16")
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running or pilot.app._exit)


async def test_the_overview_zooms_a_panel_of_its_own_after_another_page(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        await states.opened(pilot, live, "details")
        await states.opened(pilot, live, "overview")
        await pilot.press("z")
        await pilot.pause()
        assert isinstance(screen.focused, type(screen._panels()[0])) and screen._panels()[0].has_class("zoom")


async def test_classes_say_whose_weights_were_measured(runs: Path) -> None:
    """At its end a run measures its best weights once more, which are not those of its last epoch."""
    run = made.make(runs, "demo", made.on_test())
    made.say(run, [made.validation(8, "test", checkpoint="step-00000500")])
    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        await seen(pilot, "TEST  weights of epoch 5")
    made.say(run, [made.validation(8, "test", checkpoint="step-00000800")])  # of which no more is known
    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        await seen(pilot, "TEST  weights of step-00000800")
