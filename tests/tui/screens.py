"""A screen as text, compared with the text that was agreed on.

``UPDATE_SNAPSHOTS=1 pytest tests/tui`` writes the files anew; look at what changed before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.run.folder import RunFolder
from tests.tui.runs import NOW
from tui_trainer.app import TrainerApp
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.panel import Panel

PATIENCE = 1000
"""Looks, each of 0.03 s and more: half a minute, for a machine that has other work."""
FOLDER = Path(__file__).parent / "snapshots"


def console(run: RunFolder) -> TrainerApp:
    """The console on a run, with the clock held at NOW."""
    return TrainerApp(run.path.parent, attach=run, clock=lambda: NOW)


def trained(run: RunFolder, live: bool) -> AbstractContextManager[None]:
    """Whether somebody holds the run's lock meanwhile."""
    return run.hold() if live else nullcontext()


async def settled(pilot: Pilot[Any], run: RunFolder) -> RunScreen:
    """The run screen, once it is there, shows all that is in the journal, and knows whether the run lives."""
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        screen = pilot.app.screen
        if isinstance(screen, RunScreen) and _shows_all(screen, run):
            await pilot.pause()
            return screen
    raise AssertionError(f"the screen did not settle:\n{text_of(pilot)}")


async def until(pilot: Pilot[Any], condition: Callable[[], object], sought: str = "it") -> None:
    for _ in range(PATIENCE):
        if condition():
            return
        await pilot.pause(0.03)
    raise AssertionError(f"{sought} did not come about:\n{text_of(pilot)}")


async def seen(pilot: Pilot[Any], words: str, times: int = 1) -> None:
    """Wait until the screen shows these words, in so many places at least."""
    await until(pilot, lambda: text_of(pilot).count(words) >= times, repr(words))


def _shows_all(screen: RunScreen, run: RunFolder) -> bool:
    """Of what is known since the lock was looked at, which the screen takes over at its next tick."""
    if not screen._feed.looked or screen.state.seq < _last_seq(run):
        return False
    panels, known = screen._panels(), screen._feed.state
    return screen.state.status == known.status and bool(panels) and all(map(_up_to_date, panels))


def _last_seq(run: RunFolder) -> int:
    return run.journal.read_bytes().count(b"\n") - 1 if run.journal.exists() else -1


def _up_to_date(panel: Panel[Any]) -> bool:
    screen = panel.screen
    assert isinstance(screen, PanelScreen)
    return bool(panel._reads == panel.reads(screen.state, NOW))


def text_of(pilot: Pilot[Any]) -> str:
    """The characters on the screen, without blanks at the ends of lines."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(line.text.rstrip() for line in lines) + "\n"


def check(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{path.name} differs; UPDATE_SNAPSHOTS=1 writes it anew"


def panel(screen: PanelScreen, name: str) -> Panel[Any]:
    found = screen.query_one(name)
    assert isinstance(found, Panel)
    return found
