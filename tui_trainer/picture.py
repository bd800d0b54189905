"""A page or a panel of the console as a picture, drawn by the console itself without a terminal."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, NamedTuple, cast

from textual.pilot import Pilot

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer.app import TrainerApp
from tui_trainer.escape import printable
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.svg import alone
from tui_trainer.widgets.panel import Page, Panel

LOOKS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""A picture has all colours, whatever the terminal has that it is asked for from."""
PAUSE = 0.3
"""Seconds between two looks at whether the picture still changes: as long as all of its panels take to be drawn."""
PATIENCE = 200
"""Looks."""


class Wanted(NamedTuple):
    page: Page = "overview"
    panel: str = ""
    """That one alone, by its title."""
    size: tuple[int, int] = (120, 40)
    theme: str = "trainer-dark"


class Drawn(NamedTuple):
    svg: str
    text: str


def draw(run: RunFolder, wanted: Wanted) -> Drawn:
    """Raises UserError for a panel that there is not."""
    os.environ.update(LOOKS)
    os.environ.pop("NO_COLOR", None)
    app, found = TrainerApp(run.path.parent, run), list[Drawn | UserError]()
    app.theme = wanted.theme
    app.run(headless=True, size=wanted.size, auto_pilot=partial(_take, wanted=wanted, found=found))
    (drawn,) = found
    if isinstance(drawn, UserError):
        raise drawn
    return drawn


async def _take(pilot: Pilot[Any], wanted: Wanted, found: list[Drawn | UserError]) -> None:
    try:
        found.append(await _drawn(pilot, cast(RunScreen, pilot.app.screen), wanted))
    except UserError as error:
        found.append(error)
    pilot.app.exit()


async def _drawn(pilot: Pilot[Any], screen: RunScreen, wanted: Wanted) -> Drawn:
    await _settled(pilot, screen)
    await screen.run_action(f"show_{wanted.page}")
    if wanted.panel:
        await _settled(pilot, screen)
        _titled(screen, wanted.panel).focus()
        await pilot.pause()
        screen.action_zoom()
    text = await _settled(pilot, screen)
    return Drawn(alone(screen.app.export_screenshot(title=printable(screen.run.name))), text)


async def _settled(pilot: Pilot[Any], screen: RunScreen) -> str:
    """What stands on the screen once it changes no more, and all of the run has been read."""
    before = ""
    for _ in range(PATIENCE):
        await pilot.pause(PAUSE)
        text = _text(screen)
        if screen.settled and text == before:
            break
        before = text
    return text


def _text(screen: PanelScreen) -> str:
    """The characters alone, without blanks at the ends of lines."""
    return "".join(f"{strip.text.rstrip()}\n" for strip in screen._compositor.render_strips())


def _titled(screen: PanelScreen, title: str) -> Panel[Any]:
    """The panel of the present page with that title."""
    if title not in screen.headings:
        raise UserError(f"--panel {title!r}: not on this page; there are: {', '.join(screen.headings)}")
    return screen.headings[title]
