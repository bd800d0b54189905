"""Every key of the run screen, pressed; and the mouse."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from core import commands
from core import events as e
from core.commands import AnyCommand
from core.events import Event
from core.run import inbox, session
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, text_of, until
from tui_trainer import theme
from tui_trainer.feed import Feed
from tui_trainer.screens.confirm import ConfirmScreen
from tui_trainer.screens.help import HelpScreen
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.panel import Panel


@pytest.fixture
def live(runs: Path) -> Iterator[RunFolder]:
    """A running run with somebody to train it."""
    run = made.make(runs, "demo", made.running())
    with run.hold():
        yield run


def told(run: RunFolder) -> list[AnyCommand | str]:
    return [inbox.read(path) for path in inbox.waiting(run.inbox)]


def say(run: RunFolder, *events: Event) -> None:
    with JournalWriter(run.journal) as journal:
        for event in events:
            journal.append(event)


async def notices(pilot: Pilot[Any]) -> str:
    await pilot.pause(0.05)
    return "\n".join(notice.message for notice in pilot.app._notifications)


async def test_p_pauses_and_then_continues(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("p")
        (pause,) = told(live)
        assert isinstance(pause, commands.Pause)
        await seen(pilot, "pause sent")

        say(live, e.CommandAccepted(id=pause.id, command="Pause"), e.RunPaused(step=760, epoch=8))
        await settled(pilot, live)
        await seen(pilot, "‖ paused")
        assert "pause sent" not in text_of(pilot)

        await pilot.press("p")
        assert isinstance(told(live)[-1], commands.Continue)


async def test_s_saves_under_a_name_of_its_own(live: RunFolder) -> None:
    say(live, e.CheckpointSaved(checkpoint="step-00000750", step=750, epoch=8, name="saved-1"))
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("s", "s")
        names = [command.name for command in told(live) if isinstance(command, commands.Save)]
        assert names == ["saved-2", "saved-3"]


async def test_what_was_sent_too_late_is_no_longer_pending(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("s")
        await seen(pilot, "save sent")
        say(live, e.RunStopped(step=760, epoch=8, reason="stopped on request"))
        await settled(pilot, live)
        await seen(pilot, "stopped")
        assert "save sent" not in text_of(pilot)


async def test_a_refused_command_says_why(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("s")
        (save,) = told(live)
        assert isinstance(save, commands.Save)
        say(live, e.CommandRejected(id=save.id, command="Save", reason="the [b]disk[/b] is full"))
        await settled(pilot, live)
        assert "save was refused: the [b]disk[/b] is full" in await notices(pilot)


@pytest.mark.parametrize(
    ("answer", "sent"),
    [("s", [commands.Stop]), ("e", [commands.StopAfterEpoch]), ("escape", [])],
    ids=["now", "epoch", "cancel"],
)
async def test_x_asks_before_it_stops(live: RunFolder, answer: str, sent: list[type]) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press(answer)
        await pilot.pause()
        assert [type(command) for command in told(live)] == sent
        assert isinstance(pilot.app.screen, RunScreen)


async def test_d_detaches_and_the_run_hears_nothing(live: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    app = console(live)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("d")
        await pilot.pause()
    assert app._exit
    assert told(live) == []
    assert "tui-trainer attach demo" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "sent", "left"), [("d", [], True), ("s", [commands.Stop], True), ("escape", [], False)])
async def test_q_asks_while_the_run_lives(live: RunFolder, answer: str, sent: list[type], left: bool) -> None:
    app = console(live)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(answer)
        await pilot.pause()
        assert app._exit == left
    assert [type(command) for command in told(live)] == sent


async def test_the_choices_of_a_question_can_be_clicked(live: RunFolder) -> None:
    app = console(live)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("q")
        await pilot.click("#cancel")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)


async def test_q_leaves_an_ended_run_at_once(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    app = console(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        await pilot.press("q")
        await pilot.pause()
    assert app._exit


async def test_an_ended_run_stays_open_and_takes_no_command(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        await pilot.press("p", "s", "x", "d")
        await pilot.pause()
        assert isinstance(pilot.app.screen, RunScreen)
        assert told(run) == []


async def test_a_command_to_a_trainer_that_just_died_is_refused_at_once(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        app = console(run)
        async with app.run_test(size=(80, 24)) as pilot:
            screen = await settled(pilot, run)
            screen.run = RunFolder(run.path.with_name("elsewhere"))
            shutil.copytree(run.path, screen.run.path)
            await pilot.press("p")
            assert "has no living trainer" in await notices(pilot)
            assert screen._pending == {}


async def test_r_resumes_a_lost_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def start(run: RunFolder, checkpoint: str | None) -> subprocess.Popen[bytes]:
        started.append(run.name)
        run.log.write_text("tui-trainer: the checkpoints are gone\n")
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(2)"])

    monkeypatch.setattr(session, "start", start)
    run = made.make(runs, "demo", made.running())
    async with console(run).run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        await pilot.press("r")
        await pilot.app.workers.wait_for_complete()
        assert started == ["demo"]
        assert "tui-trainer: the checkpoints are gone" in await notices(pilot)


async def test_tab_goes_round_the_panels_that_are_shown(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        seen = []
        for key in ("tab", "right_square_bracket", "tab", "tab", "tab"):
            seen.append(type(screen.focused).__name__)
            await pilot.press(key)
        assert seen == ["Loss", "Accuracy", "Classes", "ProgressPanel", "EarlyStopping"]
        assert type(screen.focused).__name__ == "Loss"
        await pilot.press("shift+tab")
        assert type(screen.focused).__name__ == "EarlyStopping"
        await pilot.press("left_square_bracket")
        assert type(screen.focused).__name__ == "ProgressPanel"


async def test_z_shows_one_panel_alone_and_tab_reaches_the_hidden_ones(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        await pilot.press("z")
        assert shown(screen) == ["Loss"]
        await pilot.press("shift+tab")
        assert shown(screen) == ["Log"]
        assert "held out" in text_of(pilot)
        await pilot.press("escape")  # first back to all panels, only then to Home
        assert len(shown(screen)) == 5
        await pilot.press("enter")
        assert len(shown(screen)) == 1


def shown(screen: RunScreen) -> list[str]:
    return [type(panel).__name__ for panel in screen.query(Panel) if panel.is_on_screen]


async def test_t_changes_the_theme(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        for expected in theme.NAMES[1:4]:
            await pilot.press("t")
            assert pilot.app.theme == expected
        assert "loss  train 0.785" in text_of(pilot)


async def test_question_mark_shows_help(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await settled(pilot, live)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))


@pytest.mark.parametrize("key", ["h", "escape"])
async def test_home_leaves_the_run_alone(live: RunFolder, key: str) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        assert isinstance(screen._feed, Feed) and screen._feed._stopping.is_set()
    assert told(live) == []


async def test_a_click_focuses_a_panel_and_the_footer_is_made_of_buttons(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        await pilot.click("Classes")
        assert type(screen.focused).__name__ == "Classes"
        pause = next(key for key in screen.query(FooterKey) if key.description == "Pause")
        await pilot.click(pause)
        await pilot.pause()
        assert isinstance(told(live)[0], commands.Pause)


async def test_no_key_hurts_before_the_first_event(runs: Path) -> None:
    run = made.make(runs, "demo", made.empty())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            for key in ("p", "s", "r", "n", "t", "tab", "shift+tab", "z", "enter", "up", "end"):
                await pilot.press(key)
            await pilot.press("x", "escape", "question_mark", "escape", "q", "escape")
            await pilot.pause()
            assert isinstance(pilot.app.screen, RunScreen)
            assert told(run) == []


async def test_the_palette_offers_what_can_be_done_now(live: RunFolder) -> None:
    app = console(live)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot, live)
        offered = {command.title for command in app.get_system_commands(screen)}
        assert {"Pause", "Save", "Stop", "Detach", "Zoom", "Home", "Choose a theme"} <= offered
        assert not offered & {"Continue", "Resume", "Open", "Screenshot"}
        next(command for command in app.get_system_commands(screen) if command.title == "Pause").callback()
        await pilot.pause()
        assert isinstance(told(live)[0], commands.Pause)


async def test_the_least_terminal_shows_how_to_steer_get_help_and_leave(live: RunFolder) -> None:
    async with console(live).run_test(size=(60, 16)) as pilot:
        await settled(pilot, live)
        await seen(pilot, "p Pause  s Save  x Stop  c Change  h Home  ? Help  q Quit")
        await pilot.resize_terminal(80, 24)
        await seen(pilot, "d Detach")
