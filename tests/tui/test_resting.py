"""The console beside a run that has ended: it all but sleeps, and misses nothing."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.tui import long_runs, states
from tests.tui import runs as made
from tests.tui.plots import place_of
from tests.tui.screens import console, settled, text_of, trained, until
from tests.tui.terminal import Terminal
from tui_trainer import driver
from tui_trainer.screens import panels
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.screens.replay import ReplayScreen
from tui_trainer.widgets.plot_grid import Plot

SLEEPING = driver.PATIENCE + 2 * driver.LOOK
"""Seconds without a byte after which the thread that reads keys waits for one without end."""


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[PanelScreen]:
    """A screen for each of its ticks; they rest soon."""
    found, tick = list[PanelScreen](), PanelScreen._tick

    def noting(screen: PanelScreen) -> None:
        found.append(screen)
        tick(screen)

    monkeypatch.setattr(PanelScreen, "_tick", noting)
    monkeypatch.setattr(panels, "RESTING", 0.4)
    return found


@pytest.mark.parametrize(("state", "rests"), [("early_stopped", True), ("failed", True), ("lost", True), ("paused", False)])
async def test_an_ended_run_is_looked_at_less_often(runs: Path, frames: list[PanelScreen], state: str, rests: bool) -> None:
    run = states.make(runs, state)
    with trained(run, not rests):
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            if rests:
                await until(pilot, lambda: screen._resting, "rest")
            frames.clear()
            await pilot.pause(6 * panels.LULL)
            assert screen._resting == rests
            assert len(frames) <= 7 if rests else len(frames) > 7


async def test_a_run_that_goes_on_while_the_screen_rests_is_seen_to(runs: Path, frames: list[PanelScreen]) -> None:
    run = states.make(runs, "early_stopped")
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        await pilot.press("5")
        await until(pilot, lambda: screen._resting, "rest")
        made.say(run, [e.CheckpointSaved(step=1450, epoch=15, name="kept")])
        await until(pilot, lambda: "kept" in text_of(pilot), "what was said")


async def test_finer_points_come_at_once_though_the_screen_rested(runs: Path, frames: list[PanelScreen]) -> None:
    run = long_runs.make(runs / "long", 20_000)
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        await pilot.press("2")
        await settled(pilot, run)
        await until(pilot, lambda: screen._resting, "rest")
        plot = screen.query(Plot).first()
        await pilot.click(plot, offset=place_of(plot, 9000))
        await pilot.press(*["plus"] * 6)
        assert not screen._resting, "the next tick, and not the next look, shows what is being read"
        await until(pilot, lambda: plot._reads and plot._reads.stretch, "the points")
        left, right = plot.view.edges(20_000)
        told = [event.step for event in journal.find(run.journal, e.StepDone) if left <= event.step <= right]
        assert [step for step in plot._points["train.loss"].steps if left <= step <= right] == told


async def test_one_panel_alone_is_drawn_at_the_next_tick(runs: Path, frames: list[PanelScreen]) -> None:
    run = states.make(runs, "early_stopped")
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        await until(pilot, lambda: screen._resting, "rest")
        await pilot.press("z")
        assert screen.has_class("zoomed") and not screen._resting


async def test_a_replay_of_the_end_does_not_rest(runs: Path, frames: list[PanelScreen]) -> None:
    """Its keys move it from there."""
    run = states.make(runs, "early_stopped")
    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen), "the past")
        screen = pilot.app.screen
        assert isinstance(screen, ReplayScreen)
        await pilot.press("end")
        await until(pilot, lambda: screen.state.ended, "its end")
        await pilot.pause(3 * panels.RESTING)
        assert not screen._resting


def attached(run: RunFolder) -> Terminal:
    return Terminal([sys.executable, "-m", "tui_trainer", "attach", str(run.path.absolute())], 120, 40)


def test_keys_are_heard_after_a_long_silence(runs: Path) -> None:
    with attached(states.make(runs, "early_stopped")) as terminal:
        terminal.seen(b"early stop")
        terminal.quiet(SLEEPING)
        terminal.seen(b"recipe", terminal.press(b"5"))
        terminal.quiet(SLEEPING)
        terminal.press(b"q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_console_that_nobody_uses_ends_when_it_is_told_to(runs: Path, number: int) -> None:
    with attached(states.make(runs, "early_stopped")) as terminal:
        terminal.seen(b"early stop")
        terminal.quiet(SLEEPING)
        terminal.signal(number)
        assert terminal.ended() == -number


def test_keys_are_heard_after_it_was_suspended(runs: Path) -> None:
    with attached(states.make(runs, "early_stopped")) as terminal:
        terminal.seen(b"early stop")
        terminal.quiet(SLEEPING)
        terminal.signal(signal.SIGTSTP)
        terminal.wrote(b"\x1b[?1049l")
        terminal.signal(signal.SIGCONT)
        terminal.quiet(SLEEPING)
        terminal.seen(b"recipe", terminal.press(b"5"))
        terminal.press(b"q")
        assert terminal.ended() == 0
