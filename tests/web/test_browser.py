"""A real training in a real browser: it is seen, steered by a key, and lives on when the tab is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.color import Color

from core.events import RunPaused, StepDone
from core.run import session
from core.run.folder import RunFolder
from core.run.journal import find
from tests.cli.conftest import wait_for
from tests.core.training import tiny
from tests.web.browser import browser, found
from tests.web.conftest import Served
from tui_trainer import theme

ENDLESS = tiny(epochs=100_000, early_stopping={"patience": 100_000}, checkpoint={"every_seconds": 1.0, "keep": 2})
LEAST = 20
"""Pixels that a curve has."""

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium here: apt-get install chromium")


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    run = session.create(ENDLESS, tmp_path / "runs")
    worker = session.start(run, threads=1)
    wait_for(lambda: len(find(run.journal, StepDone)) > 3)
    yield run
    worker.kill()
    worker.wait()


def coloured(picture: Image.Image, colour: str) -> int:
    """How many pixels are nearly of this colour."""
    wanted = np.array(Color.parse(colour).rgb)
    pixels = np.asarray(picture.crop((0, 40, picture.width // 2, picture.height // 2)), dtype=int)
    return int((np.abs(pixels - wanted).sum(axis=2) < 60).sum())


async def test_a_training_is_watched_steered_and_left(
    training: RunFolder, serve: Callable[..., AbstractContextManager[Served]], tmp_path: Path
) -> None:
    train = theme.palette(theme.DARK.to_color_system().generate()).train
    with serve(training.name, "--runs", "runs") as served:
        async with browser(found() or "", tmp_path / "browser") as chromium:
            tab = await chromium.tab()
            await tab.open(served.address)
            await tab.until(lambda: "running" in tab.said)
            assert await tab.value("location.search") == "" and await tab.value("document.title")
            while coloured(seen := await tab.picture(), train) < LEAST:
                await tab.until(lambda: training.alive())
            await tab.press("p")
            await tab.until(lambda: bool(find(training.journal, RunPaused)))
            await tab.until(lambda: "paused" in tab.said)
            assert (await tab.picture()).tobytes() != seen.tobytes()
            own = f"127.0.0.1:{served.port}/"
            assert all(asked.partition("://")[2].startswith(own) for asked in tab.asked) and len(tab.asked) > 4
            assert not [line for line in tab.complaints if "Content Security Policy" in line]
            await chromium.close(tab)
            wait_for(lambda: served.consoles() == [])
            assert training.alive()


async def test_a_lost_server_is_said_in_words(serve: Callable[..., AbstractContextManager[Served]], tmp_path: Path) -> None:
    async with browser(found() or "", tmp_path / "browser") as chromium:
        tab = await chromium.tab()
        with serve() as served:
            await tab.open(served.address)
            await tab.until(lambda: "no runs" in tab.said)
            assert await tab.value("document.getElementById('lost').checkVisibility()") is False
        await tab.becomes("document.getElementById('lost').checkVisibility()")
        assert "Training goes on" in await tab.value("document.getElementById('lost').innerText")
        assert await tab.value("document.activeElement.id") == "again"
        await tab.value("document.getElementById('again').click()")
        await tab.becomes("document.getElementById('gone').checkVisibility()")
