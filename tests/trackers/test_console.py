"""Trainings that the console starts are given to what its settings name, by processes that outlive it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.errors import UserError
from core.run import session
from core.run.describe import Description
from core.run.folder import RunFolder
from tests.cli.conftest import wait_for
from tests.trackers.conftest import LINES, steps, told
from tests.tui import runs as made
from tests.tui.screens import text_of, until
from tui_trainer.app import TrainerApp
from tui_trainer.forwarding import followers
from tui_trainer.screens.new_run import NewRunScreen
from tui_trainer.settings import Settings, load

pytestmark = pytest.mark.usefixtures("lines")


@pytest.fixture
def run(tmp_path: Path, copied: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """One that has been stopped; that its worker starts is left out."""
    monkeypatch.setenv("PYTHONPATH", str(copied))
    monkeypatch.setattr(session, "start", lambda run, **options: subprocess.Popen(["true"]))
    return made.make(tmp_path / "runs", "demo", made.stopped())


def console(run: RunFolder, on_it: bool = False) -> TrainerApp:
    settings = Settings(log=("lines",))
    return TrainerApp(run.path.parent, run if on_it else None, clock=lambda: made.NOW, settings=settings)


def has_ended(run: RunFolder) -> bool:
    return (run.path / "lines.jsonl").exists() and bool(told(run, "ended"))


async def test_one_that_is_gone_on_with_from_home(run: RunFolder) -> None:
    async with console(run).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "demo" in text_of(pilot))
        await pilot.press("r")
        await until(pilot, lambda: has_ended(run))
    assert steps(run)[-1] == 760


async def test_one_that_is_gone_on_with_where_it_is_looked_at(run: RunFolder) -> None:
    async with console(run, on_it=True).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "stopped" in text_of(pilot))
        await pilot.press("r")
        await pilot.app.workers.wait_for_complete()
    wait_for(lambda: has_ended(run))
    assert steps(run)[-1] == 760


async def test_a_new_one(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "create", lambda recipe, runs, **options: run)
    monkeypatch.setattr("tui_trainer.forecast.describe", lambda recipe, inputs, code: Description(78_042, 11_500_000))
    async with console(run).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "demo" in text_of(pilot))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and "ready: " in text_of(pilot))
        await pilot.click("#start")
        await until(pilot, lambda: has_ended(run))
    assert steps(run)[-1] == 760


def test_a_tracker_that_there_is_not_begins_nothing(run: RunFolder) -> None:
    with pytest.raises(UserError, match=r"no tracker 'line'.*did you mean 'lines'"):
        followers.start(run, ["line"])
    assert not (run.path / "trackers").exists()


async def test_one_whose_library_is_gone_leaves_the_console_usable(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for when a training begins."""
    (tmp_path / "more" / "absent.py").write_text(LINES.replace('LIBRARY = "json"', 'LIBRARY = "no_such_library"'))
    (tmp_path / "settings.toml").write_text('log = ["absent"]\n')
    monkeypatch.setenv("TUI_TRAINER_CONFIG", str(tmp_path / "settings.toml"))
    app = TrainerApp(run.path.parent, None, clock=lambda: made.NOW, settings=load())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "demo" in text_of(pilot))
        await pilot.press("r")
        await until(pilot, lambda: any("install 'tui-trainer[absent]'" in note.message for note in pilot.app._notifications))


def test_one_that_cannot_be_started_is_told_in_the_runs_log(run: RunFolder) -> None:
    (run.path / "trackers").touch()
    followers.start(run, ["lines"])
    assert "--log lines: cannot be started" in run.log.read_text()
