"""What the mouse does, beside what the tests of plots, classes and Home click on already."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, text_of, trained, until
from tui_trainer.app import TrainerApp
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.steering import SteeringScreen
from tui_trainer.widgets.page_tabs import PageTabs
from tui_trainer.widgets.run_table import RunTable


async def test_pages_the_menu_and_a_dialog(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with trained(run, live=True):
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            place = text_of(pilot).splitlines()[1].index("classes")
            await pilot.click(PageTabs, offset=(place, 0))
            await seen(pilot, "most often wrong")
            await seen(pilot, "Change")
            footer = text_of(pilot).splitlines()[-1]
            await pilot.click("Footer", offset=(footer.index("Change"), 0))
            await seen(pilot, "enter chooses")
            line = _line_with(pilot, "Validate")
            await pilot.click(OptionList, offset=(4, line - pilot.app.screen.query_one(OptionList).region.y))
            await until(pilot, lambda: isinstance(screen, SteeringScreen) and screen.pending == ("validate",))


def _shows(table: RunTable, names: list[str], chosen: object) -> bool:
    return _names(table) == names and selected(table) == chosen


def _line_with(pilot: Pilot[Any], words: str) -> int:
    return next(place for place, line in enumerate(text_of(pilot).splitlines()) if words in line)


async def test_the_head_of_homes_list(runs: Path) -> None:
    for name in ("b-run", "a-run", "c-run"):
        made.make(runs, name, made.stopped())
        time.sleep(0.01)
    async with TrainerApp(runs, clock=lambda: made.NOW).run_test(size=(120, 40)) as pilot:
        await seen(pilot, "stopped")
        await pilot.pause(0.3)
        table = pilot.app.screen.query_one(RunTable)
        found = _names(table)
        for expected in (["a-run", "b-run", "c-run"], ["c-run", "b-run", "a-run"], found):
            chosen = selected(table)
            await pilot.click(RunTable, offset=(2, 0))
            await until(pilot, partial(_shows, table, expected, chosen))
        await pilot.press("o", "O")
        assert _names(table) == ["c-run", "b-run", "a-run"]
        assert isinstance(pilot.app.screen, HomeScreen) and "name▲" in text_of(pilot)


def _names(table: RunTable) -> list[str]:
    return [item.run.name for item in table._listed]


def selected(table: RunTable) -> str:
    return table.selected.run.name if table.selected else ""
