"""The hints of the first time: at their moments, once ever, gone when it is done, none where nothing can be kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.events import RunStopped
from core.run.folder import RunFolder
from tests.tui import long_runs
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, seen, settled, text_of, trained
from tests.tui.terminal import Terminal
from tui_trainer import tour
from tui_trainer.app import TrainerApp
from tui_trainer.tour import HINTS, WITH_RUNS, Tour
from tui_trainer.widgets import hint_line


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_TRAINER_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(hint_line, "LEAST", 0.0)
    return tour.path()


def first_time(runs: Path, path: Path, run: RunFolder | None = None) -> TrainerApp:
    return TrainerApp(runs, attach=run, clock=lambda: made.NOW, tour=Tour.opened(path))


def given(path: Path) -> list[str]:
    return list(json.loads(path.read_text())["hints"])


async def gone(pilot: Pilot[None], words: str) -> None:
    for _ in range(PATIENCE):
        if words not in text_of(pilot):
            return
        await pilot.pause(0.03)
    raise AssertionError(text_of(pilot))


async def test_the_first_run_of_a_first_time(runs: Path, path: Path) -> None:
    app = first_time(runs, path)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, HINTS["home"])
        run = made.make(runs, "demo", made.one_point())
        with run.hold():
            app.show_run(run)
            await seen(pilot, HINTS["detach"])
            assert given(path) == ["detach", "home"]
            made.say(run, list(made.epochs(1))[-5:])
            await seen(pilot, HINTS["pages"])
            await pilot.press("2")
            await gone(pilot, HINTS["pages"])
            await pilot.press("1", "h")
            await seen(pilot, "1 run")
    assert given(path) == ["detach", "home", "pages"]
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


async def test_no_hint_comes_twice_or_after_its_use(runs: Path, path: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with trained(run, live=True):
        app = first_time(runs, path, run)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await seen(pilot, HINTS["pages"])  # that came after the other one, in its place
            await pilot.press("q")
            await seen(pilot, "still training")
            await pilot.press("escape")
        app = first_time(runs, path, run)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await pilot.pause(0.3)
            assert not any(words in text_of(pilot) for words in HINTS.values())
            await pilot.press("h")
            await seen(pilot, WITH_RUNS)
            await pilot.press("question_mark")
            await gone(pilot, WITH_RUNS)
            await pilot.press("escape")
            await seen(pilot, "1 run")
            assert WITH_RUNS not in text_of(pilot)


@pytest.mark.parametrize("damage", ["not json", '{"hints": 1}', "\xff", "folder", "parent"])
async def test_where_nothing_can_be_kept_there_are_none(damage: str, runs: Path, path: Path) -> None:
    if damage == "parent":
        path.parent.write_text("a file in the way")
    else:
        path.parent.mkdir()
        path.mkdir() if damage == "folder" else path.write_bytes(damage.encode("latin-1"))
    async with first_time(runs, path).run_test(size=(80, 24)) as pilot:
        await seen(pilot, "start your first run")
        await pilot.pause(0.3)
        assert HINTS["home"] not in text_of(pilot)


def test_the_console_of_the_command_line_gives_them(runs: Path, path: Path) -> None:
    command = ["-P", "-m", "tui_trainer", "--runs", str(runs.absolute())]
    with Terminal([sys.executable, *command], 80, 24, {"TUI_TRAINER_STATE": str(path.parent)}) as terminal:
        terminal.seen(HINTS["home"].encode())
    assert given(path) == ["home"]


async def test_none_of_a_run_that_only_seems_to_live_while_it_is_read(runs: Path, path: Path) -> None:
    run = long_runs.make(runs / "long", 20_000)
    made.say(run, [RunStopped(step=20_000, epoch=20)])
    async with first_time(runs, path, run).run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        await seen(pilot, "stopped")
        await pilot.pause(0.3)
    assert "detach" not in given(path)
