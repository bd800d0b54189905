"""A few pictures of the run screen with their colours. Textual's pictures differ from version to version, so they are
compared only with the one that drew them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui import runs as made
from tests.tui.screens import console, settled
from tui_trainer import theme

pytestmark = pytest.mark.skipif(metadata.version("textual") != "8.2.8", reason="drawn by textual 8.2.8")
SnapCompare = Callable[..., bool]


@pytest.mark.parametrize("colours", [own.name for own in theme.OWN])
def test_running(runs: Path, snap_compare: SnapCompare, colours: str) -> None:
    run = made.make(runs, "demo", made.running())
    app = console(run)
    app.theme = colours

    async def shown(pilot: Pilot[Any]) -> None:
        await settled(pilot, run)

    with run.hold():
        assert snap_compare(app, terminal_size=(120, 40), run_before=shown)


def test_early_stopped(runs: Path, snap_compare: SnapCompare) -> None:
    run = made.make(runs, "demo", made.early_stopped())

    async def shown(pilot: Pilot[Any]) -> None:
        await settled(pilot, run)

    assert snap_compare(console(run), terminal_size=(80, 24), run_before=shown)
