"""The console on what others wrote: the same screens, live, with nothing that steers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.watching.watching import watching
from tests.tui.screens import check, seen, text_of, until
from tests.watching.written import EVENTS, NOW, event_file, scalars
from tui_trainer.screens.compare import CompareScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.screens.watching import WatchingHome
from tui_trainer.watching import WatchingApp

GROWS = """
import sys, time
from pathlib import Path
from tests.watching.written import event_file, scalars
for step in range(50, 60):
    event_file(Path(sys.argv[1]), scalars([step], {"train/loss": 0.25, "val/loss": 0.5}))
    time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As a relative path, with one run of fifty steps in it."""
    monkeypatch.chdir(tmp_path)
    falling = [scalars([step], {"train/loss": 2.0 / (1 + step / 10), "val/loss": 2.2 / (1 + step / 10)}) for step in range(50)]
    event_file(Path("logs") / "resnet", b"".join(falling))
    return Path("logs")


@asynccontextmanager
async def console(*paths: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    with watching(paths) as found:
        for run in found.runs:
            await asyncio.to_thread(settled, run.journal)
        app = WatchingApp(found, paths)
        app.clock = lambda: NOW + 61.0
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield pilot


def settled(journal: Path) -> None:
    """Until something has been told, and nothing came for a moment."""
    before = -1
    while before < 200 or before != journal.stat().st_size:
        before = journal.stat().st_size if journal.exists() else -1
        time.sleep(0.15)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_one_run_opens_as_a_run(logs: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(logs, size=size) as pilot:
        assert isinstance(pilot.app.screen, RunScreen)
        await seen(pilot, "step     49")
        await seen(pilot, "best 0.373")
        check(f"watching/run-{size[0]}x{size[1]}", text_of(pilot))


async def test_it_grows_while_one_looks(logs: Path) -> None:
    async with console(logs) as pilot:
        await seen(pilot, "step     49")
        grown = subprocess.Popen([sys.executable, "-c", GROWS, str(logs / "resnet")], cwd=Path.cwd(), env=_environment())
        await seen(pilot, "step     59")
        await seen(pilot, "train 0.250  val 0.500")
        assert grown.wait() == 0


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


async def test_keys_that_steer_say_why_they_do_not(logs: Path) -> None:
    async with console(logs) as pilot:
        await seen(pilot, "◉ watched  TensorBoard, newest 12 s ago")
        for key, label in (("p", "Pause"), ("s", "Save"), ("x", "Stop"), ("c", "Change"), ("r", "Resume")):
            await pilot.press(key)
            await seen(pilot, f"{label}: this run is only watched")
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)


async def test_pages_without_content_say_why(logs: Path) -> None:
    async with console(logs, size=(120, 40)) as pilot:
        for key, words in (
            ("3", "these files tell of no classes"),
            ("4", "the pictures of others are not shown"),
            ("5", "these files tell of no checkpoints"),
        ):
            await pilot.press(key)
            await seen(pilot, words)
        await seen(pilot, "no hparams.yaml lies beside these files")
        await pilot.press("2")
        await seen(pilot, "loss  train")
        assert "images/s" not in text_of(pilot)


async def test_one_can_look_closer_and_back(logs: Path) -> None:
    async with console(logs) as pilot:
        await seen(pilot, "step     49")
        for _ in range(50):  # until the plot has the focus
            await pilot.press("plus")
            await pilot.pause(0.1)
            if "following" in text_of(pilot):
                break
        await pilot.press("left")
        await seen(pilot, "─ step 4")
        await pilot.press("escape", "0", "b", "home")
        await seen(pilot, "replay: step 0")
        await pilot.press("end")
        await seen(pilot, "replay: step 49")


async def test_several_named_are_side_by_side(logs: Path) -> None:
    Path("plain.csv").write_text("step,loss\n" + "".join(f"{step},{1 / (step + 1)}\n" for step in range(40)))
    async with console(logs, Path("plain.csv")) as pilot:
        assert isinstance(pilot.app.screen, CompareScreen)
        await seen(pilot, "2 plain")
        await seen(pilot, "train loss")
        await seen(pilot, "0.025")
        assert "training" not in text_of(pilot)


async def test_several_found_are_a_list_in_which_nothing_is_begun(logs: Path) -> None:
    event_file(logs / "other", scalars(range(5), {"train/loss": 1.0}))
    async with console(logs) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, WatchingHome)
        await seen(pilot, "2 runs")
        await seen(pilot, "resnet")
        for action in ("new_run", "again", "delete", "rename", "tag", "resume"):
            assert not screen.check_action(action, ())
        await pilot.press("space", "space", "C")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await pilot.press("h")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))


async def test_an_empty_folder_is_waited_in_and_the_first_run_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    async with console(Path("empty")) as pilot:
        await seen(pilot, "nothing to watch yet")
        await seen(pilot, "in empty")
        event_file(Path("empty") / "late", scalars(range(5), {"train/loss": 1.0}), EVENTS)
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await seen(pilot, "step     4")


async def test_a_name_with_control_codes_and_markup_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    event_file(Path("logs") / "a[red]\x1b[2J", scalars(range(5), {"[bold]x\x1b]0;t\x07": 1.0, "loss": 2.0}))
    async with console(Path("logs"), size=(120, 40)) as pilot:
        await seen(pilot, "step     4")
        await pilot.press("2")
        await seen(pilot, "[bold]x\\x1b]0;t\\x07")
