"""The help screen says everything that the table of actions has, and can be read at every size."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from textual.pilot import Pilot

from tests.tui import runs as made
from tests.tui.screens import PATIENCE, check, text_of
from tui_trainer import actions
from tui_trainer.app import TrainerApp
from tui_trainer.screens.help import SECTIONS, HelpScreen, keys, section
from tui_trainer.theme import DARK, palette


async def opened(pilot: Pilot[Any]) -> HelpScreen:
    await until(pilot, "demo")
    await pilot.press("question_mark")
    await until(pilot, "On Home")
    screen = pilot.app.screen
    assert isinstance(screen, HelpScreen)
    return screen


async def until(pilot: Pilot[Any], words: str) -> None:
    """Until the words are on the screen and its picture is still."""
    last = ""
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        text = text_of(pilot)
        if text == last and words in " ".join(text.split()):
            return
        last = text
    raise AssertionError(f"{words!r} did not show up:\n{last}")


@pytest.fixture
def console(runs: Path) -> TrainerApp:
    made.make(runs, "demo", made.stopped())
    return TrainerApp(runs, clock=lambda: made.NOW)


def test_every_action_is_in_it_with_key_words_and_command() -> None:
    colours = palette(DARK.to_color_system().generate())
    output = Console(width=200, record=True, file=io.StringIO())
    for scope, _ in SECTIONS:
        output.print(section(scope, colours))
    text = output.export_text()
    for action in actions.TABLE:
        assert action.help in text
        assert set((action.cli or "").split()) <= set(text.split())
        assert any(line.startswith(keys(action)) and action.label in line for line in text.splitlines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_help_at_every_size(console: TrainerApp, size: tuple[int, int]) -> None:
    async with console.run_test(size=size) as pilot:
        box = (await opened(pilot)).query_one("#help").region
        rows = text_of(pilot).splitlines()[box.y : box.bottom]
        check(f"help-{size[0]}x{size[1]}", "".join(f"{row[box.x : box.right]}\n" for row in rows))


async def test_it_scrolls_to_its_end_by_keys(console: TrainerApp) -> None:
    async with console.run_test(size=(60, 16)) as pilot:
        screen = await opened(pilot)
        assert "wheel" not in text_of(pilot)
        await pilot.press("end")
        await until(pilot, "wheel scrolls")
        assert pilot.app.screen is screen


@pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
async def test_it_closes(console: TrainerApp, key: str) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is not screen
        assert pilot.app.is_running
