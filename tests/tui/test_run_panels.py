"""Panels: found by themselves, drawn only when something changed, and at home in every size."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core import events as e
from core.run.journal import JournalWriter
from tests.tui import runs as made
from tests.tui.screens import console, panel, settled, text_of
from tui_trainer import panels
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import PathWrapper

NEW_PANEL = """
from rich.text import Text
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import PathWrapper

class Steps(Panel):
    NAME, SLOT = "steps", "side"
    def reads(self, state, now): return state.step
    def draw(self, reads, size, colours): return [Text(f"{reads} steps so far")]
"""


async def test_a_new_file_is_a_new_panel(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps_so_far.py").write_text(NEW_PANEL)
    monkeypatch.setattr(panels, "__path__", [*panels.__path__, str(tmp_path)])
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            await settled(pilot, run)
            assert "760 steps so far" in text_of(pilot)
    del sys.modules["tui_trainer.panels.steps_so_far"]


async def test_a_panel_is_drawn_again_only_when_what_it_reads_changed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    original = Panel._draw

    def noted(self: Panel[Any]) -> None:
        before = self._drawn
        original(self)
        if self._drawn is not before:
            drawn.append(type(self).__name__)

    monkeypatch.setattr(Panel, "_draw", noted)
    run = made.make(runs, "demo", made.running())
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(120, 40)) as pilot:
            await settled(pilot, run)
            await pilot.pause(0.3)
            drawn.clear()
            await pilot.pause(0.3)
            assert drawn == []
            journal.append(e.MessageLogged(text="hello"))
            await settled(pilot, run)
            assert drawn == ["Log"]


@pytest.mark.parametrize(
    ("size", "classes"),
    [
        ((60, 16), {"narrow", "short"}),
        ((80, 24), {"narrow", "medium"}),
        ((120, 40), {"normal", "tall"}),
        ((200, 60), {"wide", "tall"}),
    ],
    ids=["60x16", "80x24", "120x40", "200x60"],
)
async def test_the_layout_goes_by_the_size(runs: Path, size: tuple[int, int], classes: set[str]) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(100, 30)) as pilot:
            screen = await settled(pilot, run)
            await pilot.resize_terminal(*size)
            await pilot.pause()
            every = {"narrow", "normal", "wide", "short", "medium", "tall"}
            assert screen.classes & every == classes
            inside(screen)


def inside(screen: RunScreen) -> None:
    """Every panel that is shown has room for a line, lies on the screen, and covers no other."""
    regions = [panel.region for panel in screen.query(Panel) if panel.is_on_screen]
    assert all(screen.region.contains_region(region) and region.height >= 3 for region in regions)
    assert not any(one.overlaps(other) for one in regions for other in regions if one is not other)


async def test_below_60x16_there_is_one_line_and_above_it_everything_again(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await pilot.resize_terminal(50, 10)
            await pilot.pause()
            words = [line for line in text_of(pilot).splitlines() if line.strip()]
            assert len(words) == 1 and "60x16" in words[0]
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            await settled(pilot, run)
            assert "loss  train 0.785" in text_of(pilot)


async def test_the_log_follows_the_newest_unless_one_scrolled_up(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            log = panel(screen, "Log")
            await told(pilot, journal, "line", 30)
            assert "line 29" in text_of(pilot)
            log.scroll_home(animate=False)
            await told(pilot, journal, "more", 5)
            assert "more 4" not in text_of(pilot)
            assert log.scroll_offset.y == 0


async def told(pilot: Pilot[Any], journal: JournalWriter, word: str, count: int) -> None:
    for number in range(count):
        journal.append(e.MessageLogged(text=f"{word} {number}"))
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    await settled(pilot, screen.run)


async def test_a_hundred_classes_scroll(runs: Path) -> None:
    names = tuple(f"class-{number}" for number in range(100))
    told = [made.started(classes=names), *made.training(1)]
    measured = e.ValidationDone(epoch=1, step=100, metrics={"val.loss": 1.0}, correct=(1,) * 100, images=(2,) * 100)
    run = made.make(runs, "demo", [*told, measured])
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await settled(pilot, run)
            assert "class-99" not in text_of(pilot)
            panel(screen, "Classes").scroll_end(animate=False)
            await pilot.pause()
            assert "class-99" in text_of(pilot)


async def test_without_utf8_there_is_no_other_character(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    glyphs.cache_clear()
    run = made.make(runs, "demo", made.running())
    try:
        with run.hold():
            async with console(run).run_test(size=(80, 24)) as pilot:
                await settled(pilot, run)
                assert text_of(pilot).replace("●", "").isascii()
    finally:
        glyphs.cache_clear()


async def test_a_journal_that_goes_back_in_time_and_a_resume_are_shown(runs: Path) -> None:
    run = made.make(runs, "demo", made.resumed())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await settled(pilot, run)
            assert screen.state.step == 730
            assert "30/100" in text_of(pilot) and "╎" in text_of(pilot)


def test_a_long_path_is_broken_after_a_folder() -> None:
    wrapped = PathWrapper(36, break_on_hyphens=False).wrap("weights runs/a/checkpoints/step-00000900/model.safetensors")
    assert wrapped == ["weights runs/a/checkpoints/", "step-00000900/model.safetensors"]
    assert PathWrapper(8).wrap("one two/three") == ["one two/", "three"]
