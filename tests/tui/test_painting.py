"""Panels paint only what has changed: a screen that has followed a run looks like one that is opened at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.strip import Strip

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.tui import runs as made
from tests.tui import states
from tests.tui.screens import console, settled, text_of, trained
from tests.tui.test_feed import until
from tests.tui.test_pages import styled
from tui_trainer.app import TrainerApp
from tui_trainer.feed import Feed
from tui_trainer.widgets.panel import Panel

PLOTS = {"overview": 16}
"""Rows at the top of a page that are plots, but for their titles: lines may lie a dot beside those drawn in one piece."""


async def looks(run: RunFolder, page: str, *later: list[e.Event]) -> tuple[list[str], str]:
    """Of the page once all these events have come, one batch after the other; the rows and their styles."""
    async with console(run).run_test(size=(120, 40)) as pilot:
        await states.opened(pilot, run, page)
        for told in later:
            with JournalWriter(run.journal) as journal:
                for event in told:
                    journal.append(event)
            await states.steady(pilot, run)
        first = PLOTS.get(page, 0)
        rows = text_of(pilot).splitlines()
        return rows[:3] + rows[max(first, 3) :], "\n".join(sorted(styled(pilot).splitlines()[40:])) if not first else ""


@pytest.mark.parametrize("page", ["overview", "classes", "details"])
async def test_a_screen_that_followed_a_run_looks_like_a_fresh_one(runs: Path, page: str) -> None:
    run = states.make(runs, "one_point")
    told = list(made.epochs(3))[1:]
    batches = [told[start : start + 7] for start in range(0, len(told), 7)]
    with run.hold():
        followed = await looks(run, page, *batches)
        assert followed == await looks(run, page)
    assert "epoch 3" in "\n".join(followed[0]) or page == "details"


@pytest.mark.parametrize("state", ["running", "early_stopped"])
async def test_the_first_frame_has_all_that_is_known_by_then(runs: Path, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each panel is painted for the first time as it looks in the end, and where it stays."""
    run, first, paint = states.make(runs, state), dict[Panel[Any], str](), Panel.render_lines

    def noting(panel: Panel[Any], crop: Region) -> list[Strip]:
        found = paint(panel, crop)
        first.setdefault(panel, "\n".join(strip.text for strip in found))
        return found

    monkeypatch.setattr(Panel, "render_lines", noting)
    with trained(run, states.STATES[state].live):
        feed = Feed(run, lambda: made.NOW)
        feed.start()
        until(lambda: feed.looked)
        app = TrainerApp(runs, attach=run, clock=lambda: made.NOW, feed=feed)
        async with app.run_test(size=(160, 48)) as pilot:
            await settled(pilot, run)
            shown = [panel for panel in app.screen.query(Panel) if panel.is_on_screen]
            in_the_end = (paint(panel, Region(0, 0, *panel.outer_size)) for panel in shown)
            assert first == dict(zip(shown, ("\n".join(strip.text for strip in found) for found in in_the_end), strict=True))
    assert len(shown) > 6
