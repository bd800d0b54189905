"""What can be copied, of the focused panel and of the run; nothing that does not print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from core.run.folder import RunFolder
from tests.core.hostile import NAME
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled


async def copied(pilot: Pilot[Any], words: str) -> str:
    """What the clipboard has after that entry of the list."""
    await pilot.press("Y")
    await seen(pilot, "enter copies")
    entries = pilot.app.screen.query_one(OptionList)
    names = [str(entries.get_option_at_index(place).prompt) for place in range(entries.option_count)]
    await pilot.press(*["down"] * next(place for place, name in enumerate(names) if name.startswith(words)), "enter")
    await pilot.pause(0.1)
    return pilot.app.clipboard


async def test_a_value_of_the_run_and_of_the_panel(runs: Path) -> None:
    run = made.make(runs, "demo", made.stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        await pilot.press("Y", "escape")
        await pilot.pause(0.1)
        assert pilot.app.clipboard == ""
        assert await copied(pilot, "folder") == str(run.path.absolute())
        assert await copied(pilot, "command") == "tui-trainer resume demo"
        assert await copied(pilot, "weights") == str((run.path / screen.state.weights).absolute())
        screen.query_one("Loss").focus()
        assert await copied(pilot, "val.loss") == "0.811"
        assert any("val.loss given to the terminal's clipboard: 0.811" in note.message for note in pilot.app._notifications)
        await pilot.press("3")
        await settled(pilot, run)
        screen.query_one("ConfusionMatrix").focus()
        assert " taken for " in await copied(pilot, "cell")
        await pilot.press("5")
        await settled(pilot, run)
        screen.query_one("Checkpoints").focus()
        folder = await copied(pilot, "its folder")
        assert folder.startswith(str(run.checkpoints.absolute())) and folder.endswith("step-00000700")


@pytest.mark.parametrize("name", [NAME, pytest.param("demo\nrm -r", marks=pytest.mark.torture)])
async def test_what_does_not_print_is_not_copied(runs: Path, name: str) -> None:
    run = made.make(runs, name, made.stopped())
    async with console(RunFolder(run.path)).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        assert await copied(pilot, "folder") == ""
        assert any("not copied" in note.message and note.severity == "error" for note in pilot.app._notifications)
