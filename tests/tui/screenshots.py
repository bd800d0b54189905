"""Pictures of the console to look at, dark and light: ``python -m tests.tui.screenshots FOLDER`` writes some fifty SVGs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.tui import states
from tests.tui.screens import console, seen, settled, trained
from tests.tui.states import PAGES, SIZES, STATES
from tui_trainer import theme
from tui_trainer.screens.run import RunScreen

DIALOGS = {
    "change": "Change", "set_rate": "Learning rate", "set_epochs": "pochs", "rewind": "Go back", "stop": "End this training?",
}  # fmt: skip
"""Actions that open one, with words that it shows."""
MIDDLE = (120, 40)


class Shot(NamedTuple):
    state: str
    page: str
    size: tuple[int, int]
    dialog: str = ""

    @property
    def name(self) -> str:
        return "-".join(part for part in (self.state, self.page, self.dialog, "x".join(map(str, self.size))) if part)


def shots() -> Iterator[Shot]:
    for page in PAGES:
        for size in SIZES:
            yield Shot("running", page, size)
    for state in STATES:
        if state != "running":
            yield Shot(state, "overview", MIDDLE)
    for dialog in DIALOGS:
        yield Shot("running", "overview", MIDDLE, dialog)


async def draw(shot: Shot, colours: str, runs: Path, folder: Path) -> None:
    run = states.make(runs / f"{shot.name}-{colours}", shot.state)
    app = console(run)
    app.theme = colours
    with trained(run, STATES[shot.state].live):
        async with app.run_test(size=shot.size) as pilot:
            await settled(pilot, run)
            await states.opened(pilot, run, shot.page)
            if shot.dialog:
                await app.screen.run_action(shot.dialog)
                await seen(pilot, DIALOGS[shot.dialog])
                while isinstance(app.screen, RunScreen):
                    await pilot.pause(0.05)
                await pilot.pause(0.3)
            (folder / f"{shot.name}-{colours}.svg").write_text(app.export_screenshot(), "utf-8")


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TZ="UTC")
    with TemporaryDirectory() as made:
        os.chdir(made)
        for shot in shots():
            for own in theme.OWN:
                asyncio.run(draw(shot, own.name, Path("runs"), folder))
                print(f"{shot.name}-{own.name}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
