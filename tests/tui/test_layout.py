"""Panels that a person hides, by recipe: the others take their room, at the next look too, in the present and in the past."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from textual.pilot import Pilot

from core.run.folder import RunFolder
from tests.tui import runs as made
from tests.tui.screens import seen, settled, until
from tui_trainer.app import TrainerApp
from tui_trainer.memory import Memory
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.screens.pick import PickScreen
from tui_trainer.screens.replay import ReplayScreen
from tui_trainer.settings import Settings
from tui_trainer.widgets.glyphs import UNICODE, glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.view import View, preferred

SIZE = (120, 40)


@pytest.fixture
def run(runs: Path) -> RunFolder:
    return made.make(runs, "demo", made.stopped())


def console(run: RunFolder, memory: Memory, settings: Settings = Settings()) -> TrainerApp:
    return TrainerApp(run.path.parent, attach=run, clock=lambda: made.NOW, memory=memory, settings=settings)


def shown(screen: Any) -> dict[str, tuple[int, int]]:
    """Sizes of the panels that are on the screen, by the names of their classes."""
    return {type(panel).__name__: panel.outer_size for panel in screen.query(Panel) if panel.is_on_screen and panel.outer_size}


async def press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause(0.1)


async def test_what_is_hidden_leaves_its_room(run: RunFolder) -> None:
    memory = Memory()
    async with console(run, memory).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        before = shown(screen)
        await press(pilot, "L")
        assert isinstance(pilot.app.screen, PickScreen)
        await press(pilot, "enter", "escape")  # the first: loss
        after = shown(screen)
        assert before.keys() - after.keys() == {"Loss"}
        assert after["Accuracy"][0] > before["Accuracy"][0]
        assert memory.layout("quickstart") == {"overview": ("loss",)}
        await press(pilot, "tab", "tab", "z")
        assert "Loss" not in shown(screen)
        await press(pilot, "z", "L", "enter", "escape")
        assert shown(screen) == before and memory.layout("quickstart") == {}


async def test_a_part_of_the_page_without_panels_is_given_away(run: RunFolder) -> None:
    memory = Memory()
    memory.remember_layout("quickstart", {"overview": ("loss", "accuracy", "learning_rate", "device", "log", "class_table")})
    async with console(run, memory).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        await until(pilot, lambda: set(shown(screen)) == {"Classes", "Result"})
        assert {size[1] for size in shown(screen).values()} == {SIZE[1] - 3}


@pytest.mark.torture
async def test_one_panel_stays_and_all_come_back(run: RunFolder) -> None:
    memory = Memory()
    async with console(run, memory).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        count = len(screen.all_panels("overview"))
        await press(pilot, "L", *("enter", "down") * count)
        assert [panel.has_class("hidden") for panel in screen.all_panels("overview")] == [True] * (count - 1) + [False]
        await press(pilot, "enter", "escape")
        assert not any(panel.has_class("hidden") for panel in screen.all_panels("overview"))


async def test_replay_and_the_next_look_follow(run: RunFolder, tmp_path: Path) -> None:
    file = tmp_path / "console.json"
    async with console(run, Memory(file)).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        await press(pilot, "L", "enter", "escape", "b")
        past = pilot.app.screen
        assert isinstance(past, ReplayScreen)
        await seen(pilot, "replay:")
        assert "Loss" not in shown(past) and "Accuracy" in shown(past)
        await press(pilot, "L", "down", "enter", "escape", "escape")
        await until(pilot, lambda: not {"Loss", "Accuracy"} & shown(screen).keys())
    async with console(run, Memory(file)).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        await until(pilot, lambda: not {"Loss", "Accuracy"} & shown(screen).keys())


async def test_plots_and_settings(run: RunFolder) -> None:
    memory, settings = Memory(), Settings(layouts={"default": {"plots": ("loss", "gradient_norm")}})
    async with console(run, memory, settings).run_test(size=(200, 60)) as pilot:
        screen = await settled(pilot, run)
        await press(pilot, "2")
        await settled(pilot, run)
        await pilot.pause(0.3)
        names = [panel.border_title for panel in screen.query(Panel) if panel.is_on_screen]
        assert len(names) == 3 and not any(str(name).startswith(("loss", "gradient")) for name in names)
        await press(pilot, "L", "enter", "escape")
        assert memory.layout("quickstart") == {} and isinstance(screen, PanelScreen)
        assert screen.hidden("plots") == {"gradient_norm"}


async def test_how_curves_are_drawn_at_first(run: RunFolder) -> None:
    settings = Settings(smoothing=0.9, marker="quadrants")
    async with console(run, Memory(), settings).run_test(size=SIZE) as pilot:
        screen = await settled(pilot, run)
        assert screen.lens.view.smoothing == 0.9 and glyphs().markers[screen.lens.view.marker].name == "quadrants"
        await seen(pilot, "smoothing 0.9")


@pytest.mark.parametrize("marker", get_args(get_type_hints(Settings)["marker"]))
def test_every_marker_of_the_settings_is_there(marker: str) -> None:
    assert marker in [item.name.lower() for item in UNICODE.markers]
    assert UNICODE.markers[preferred(0.6, marker).marker].name.lower() == marker


def test_as_delivered_the_settings_change_nothing() -> None:
    assert preferred(Settings().smoothing, Settings().marker) == View()
