"""What a person does with the list of runs on Home: filter, order, mark, tag, rename, delete and bring back, compare."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.run import tags
from core.run.folder import list_runs
from core.run.moving import TRASH
from tests.core.hostile import EVIL
from tests.tui import runs as made
from tests.tui.screens import check, text_of, until
from tests.tui.test_home import add, console, has_footer, select, selected, settled, shown
from tui_trainer.screens.home import HomeScreen
from tui_trainer.widgets.run_table import RunTable

STATES = {"running": made.running, "stopped": made.stopped, "lost": made.one_point, "new": made.empty}
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
KEYS = {" ": "space", "#": "number_sign", "!": "exclamation_mark", ">": "greater_than_sign"}


@pytest.fixture
def many(runs: Path) -> Iterator[Path]:
    """One that lives and three that do not, two of them with tags, some of which are none."""
    with ExitStack() as held:
        for place, (name, events) in enumerate(STATES.items()):
            run = add(runs, name, events(), age=5 * 8**place)
            if name == "running":
                held.enter_context(run.hold())
            elif name in ("stopped", "lost"):
                (run.path / tags.NAME).write_text(json.dumps({"tags": [EVIL, "baseline", name[:2]]}))
        yield runs


def names(screen: HomeScreen) -> list[str]:
    return [item.run.name for item in screen.table._listed]


async def opened(pilot: Pilot[Any]) -> HomeScreen:
    """Home once all is known of every run."""
    screen = await settled(pilot)
    await until(pilot, lambda: all(item.known for item in screen._listed) and screen.table._listed)
    return screen


async def keys(pilot: Pilot[Any], text: str) -> None:
    await pilot.press(*(KEYS.get(letter, letter) for letter in text))
    await pilot.pause()


def told(pilot: Pilot[Any], words: str) -> Callable[[], bool]:
    """Whether a notification says so, over however many lines."""
    return lambda: any(words in said.message for said in pilot.app._notifications)


async def asked(pilot: Pilot[Any], key: str, words: str) -> None:
    await pilot.press(key)
    await until(pilot, shown(pilot, words))


@SIZES
async def test_a_filter_is_typed_kept_and_taken_back(many: Path, size: tuple[int, int]) -> None:
    async with console(many).run_test(size=size) as pilot:
        screen = await opened(pilot)
        everything = names(screen)
        await pilot.press("slash")
        await until(pilot, shown(pilot, "acc>0.9 !paused"))
        await keys(pilot, "#baseline !sto")
        assert names(screen) == ["lost"]
        await until(pilot, shown(pilot, "1 of 4 runs"))
        await until(pilot, lambda: has_footer(text_of(pilot)))
        check(f"home-filtered-{size[0]}x{size[1]}", text_of(pilot))
        await pilot.press("enter")
        assert isinstance(screen.focused, RunTable) and names(screen) == ["lost"]
        await pilot.press("escape")
        assert names(screen) == everything and not screen.query_one("#filter-line").display


async def test_a_wrong_filter_is_told_as_it_is_typed_and_hides_nothing(many: Path) -> None:
    async with console(many).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        await keys(pilot, "acc>9")
        await until(pilot, shown(pilot, "accuracies go from 0 to 1"))
        assert len(names(screen)) == len(STATES)
        await until(pilot, lambda: has_footer(text_of(pilot)))
        check("home-filter-wrong-80x24", text_of(pilot))
        screen.query_one(Input).value = "nothing-like-it"
        await until(pilot, shown(pilot, "no run matches; esc shows all of them"))
        await pilot.press("enter", "r", "e", "D", "N", "space", "enter")  # of no run
        await pilot.press("slash", "escape")
        await until(pilot, lambda: selected(screen))
        await pilot.press("slash", "down")  # nothing typed
        assert isinstance(screen.focused, RunTable) and not screen.query_one("#filter-line").display


async def test_the_order_goes_round_the_columns_and_the_cursor_stays_on_its_run(many: Path) -> None:
    async with console(many).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        usual = names(screen)
        await select(pilot, screen, "stopped")
        await pilot.press("o")
        assert names(screen) == sorted(usual) and "name▼" in text_of(pilot)
        await pilot.press("O")
        assert names(screen) == sorted(usual, reverse=True) and "name▲" in text_of(pilot)
        seen = []
        for _ in screen.table.orders:
            await pilot.press("o")
            seen.append(screen._order.by)
            assert selected(screen) == "stopped"
        assert seen == [*screen.table.orders[1:], ""] and {"best", "val", "active"} <= set(seen)
        assert names(screen) == usual and "▼" not in text_of(pilot)


@SIZES
async def test_marked_runs_are_shown_and_compared_only_when_they_are_two_to_eight(many: Path, size: tuple[int, int]) -> None:
    async with console(many).run_test(size=size, notifications=True) as pilot:
        screen = await opened(pilot)
        await pilot.press("C")
        await until(pilot, told(pilot, "compare takes 2 to 8 marked runs, and 0 are"))
        await select(pilot, screen, "stopped")
        await pilot.press("space", "C")
        await until(pilot, told(pilot, "and 1 are: space marks one"))
        assert [item.run.name for item in screen.marked] == ["stopped"] and selected(screen) != "stopped"
        pilot.app.clear_notifications()
        await pilot.press("space", "o", "up", "up")
        await settled(pilot)
        await until(pilot, lambda: has_footer(text_of(pilot)))
        check(f"home-marked-{size[0]}x{size[1]}", text_of(pilot))
        await pilot.press("escape")
        assert not screen.marked and "◆" not in text_of(pilot)


async def test_tags_are_typed_and_of_several_runs_the_common_ones_change(many: Path) -> None:
    async with console(many).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await select(pilot, screen, "new")
        await asked(pilot, "e", "Tags of new")
        await keys(pilot, "bad #x")
        await until(pilot, shown(pilot, "tag '#x': expected a word"))
        await pilot.press("backspace", "backspace")
        await keys(pilot, "y")
        await pilot.press("enter")
        await until(pilot, shown(pilot, "new #bad #y"))
        await select(pilot, screen, "stopped")
        await pilot.press("space", "space")  # and the one below, lost
        await asked(pilot, "e", "Tags of 2 runs")
        assert pilot.app.screen.query_one(Input).value == "baseline "
        await pilot.press("ctrl+w")
        await keys(pilot, "both")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
    found = {run.name: tags.read(run) for run in list_runs(many)}
    assert (found["stopped"], found["lost"], found["new"]) == (("st", "both"), ("lo", "both"), ("bad", "y"))


async def test_a_run_is_renamed_and_stays_selected(many: Path) -> None:
    async with console(many).run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(pilot)
        await select(pilot, screen, "new")
        await asked(pilot, "N", "Rename new")
        for name, words in (("lost", "'lost' exists already"), ("a b", "expected 1 to 100 letters")):
            pilot.app.screen.query_one(Input).value = name
            await until(pilot, shown(pilot, words))
        pilot.app.screen.query_one(Input).value = "nan-at-4"
        await pilot.press("enter")
        await until(pilot, lambda: selected(screen) == "nan-at-4" and "nan-at-4" in text_of(pilot))
        assert not (many / "new").exists()
        await select(pilot, screen, "running")
        await asked(pilot, "N", "Rename running")
        pilot.app.screen.query_one(Input).value = "other"
        await pilot.press("enter")
        await until(pilot, told(pilot, "is being trained and cannot be renamed"))


async def test_a_deletion_asks_and_is_taken_back(many: Path) -> None:
    async with console(many).run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(pilot)
        await select(pilot, screen, "running")
        await pilot.press("D")
        await until(pilot, told(pilot, "running is being trained; stop before deleting"))
        pilot.app.clear_notifications()
        await select(pilot, screen, "lost")
        await asked(pilot, "D", "Delete lost, ")
        await until(pilot, lambda: has_footer(text_of(pilot)))
        check("home-delete-80x24", text_of(pilot))
        await pilot.press("escape", "D", "y")
        await until(pilot, lambda: "lost" not in names(screen))
        assert len(list((many / TRASH).iterdir())) == 1 and len(names(screen)) == len(STATES) - 1
        await pilot.press("u")
        await until(pilot, lambda: selected(screen) == "lost")
        await pilot.press("u")
        await until(pilot, told(pilot, "nothing was deleted that could come back"))
        assert tags.read(screen.table._listed[0].run) == () and (many / "lost" / tags.NAME).exists()


async def test_marked_runs_are_deleted_together_and_come_back_one_by_one(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await select(pilot, screen, "stopped")
        await pilot.press("space", "space")
        await asked(pilot, "D", "Delete 2 runs (stopped, lost)")
        await pilot.press("y")
        await until(pilot, lambda: not {"stopped", "lost"} & set(names(screen)))
        assert not screen.table.marked
        await pilot.press("u")
        await until(pilot, lambda: "lost" in names(screen))
    assert app.trash.empty() == 1
    assert not (many / TRASH).exists()


async def test_the_last_run_can_be_deleted_and_brought_back(runs: Path) -> None:
    add(runs, "only", made.stopped())
    async with console(runs).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await asked(pilot, "D", "Delete only,")
        await pilot.press("y")
        await until(pilot, shown(pilot, "start your first run"))
        await pilot.press("u")
        await until(pilot, lambda: selected(screen) == "only" and isinstance(screen.focused, RunTable))
