"""The console on a run of another machine: the same screens and keys, and what is for that machine alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core import commands as c
from core import events as e
from core.remote.address import Address
from core.remote.mirrored import mirrored
from core.run import inbox
from core.run.folder import RunFolder
from tests.remote.conftest import far
from tests.remote.far import Far, make_run, say
from tests.tui.runs import epochs
from tests.tui.screens import seen, text_of, until
from tui_trainer.remote import RemoteApp
from tui_trainer.screens.remote import RemoteHome
from tui_trainer.screens.run import RunScreen

__all__ = ["far"]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "runs" / "demo", trained=3)


@asynccontextmanager
async def console(run: RunFolder, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    with mirrored(Address("me@gpu", 2222, str(run.path)), "", print) as found:
        async with RemoteApp(found).run_test(size=size, notifications=True) as pilot:
            await seen(pilot, "on me@gpu:2222")
            yield pilot


def told(run: RunFolder) -> list[c.Command]:
    found = [inbox.read(path) for path in inbox.waiting(run.inbox)]
    return [command for command in found if isinstance(command, c.Command)]


async def test_keys_are_pending_until_the_far_run_has_answered(far: Far, run: RunFolder) -> None:
    with run.hold():
        async with console(run) as pilot:
            await seen(pilot, "● running")
            await pilot.press("p")
            await seen(pilot, "pause sent ...")
            await until(pilot, lambda: bool(told(run)))
            (command,) = told(run)
            assert isinstance(command, c.Pause)
            say(run, e.CommandAccepted(id=command.id, command="Pause"), e.RunPaused(step=300, epoch=3))
            await seen(pilot, "‖ paused")
            assert "pause sent" not in text_of(pilot)


async def test_a_broken_link_is_no_lost_run(far: Far, run: RunFolder) -> None:
    with run.hold():
        async with console(run, (80, 24)) as pilot:
            far.down(True)
            far.cut()
            await seen(pilot, "no link for ")
            assert "trying again" in text_of(pilot) and "● running" in text_of(pilot) and " demo " in text_of(pilot)
            screen = pilot.app.screen
            assert isinstance(screen, RunScreen)
            why = "no link: me@gpu: ssh: connect to host far port 22: No route to host"
            await until(pilot, lambda: any(message.text == why for message in screen.state.messages))
            far.down(False)
            say(run, *epochs(1))
            await until(pilot, lambda: "no link for" not in text_of(pilot))
            await until(pilot, lambda: bool(screen.state.rows) and screen.state.rows[-1].epoch == 1)
            await until(pilot, lambda: screen.state.messages[-1].text.startswith("the link is back after "))


async def test_what_is_for_the_other_machine_says_how_it_is_done_there(far: Far, run: RunFolder) -> None:
    say(run, e.RunStopped(step=300, epoch=3, reason="on request"))
    async with console(run) as pilot:
        await seen(pilot, "stopped")
        where = f"ssh://me@gpu:2222{run.path}"
        await pilot.press("r")
        await until(pilot, lambda: f"tui-trainer resume --detach {where}" in said(pilot))
        await pilot.press("5")
        await seen(pilot, "checkpoints")
        pilot.app.screen.query_one("Checkpoints").focus()
        await pilot.press("w", "e")
        await until(pilot, lambda: "resume --detach --from step-" in said(pilot))
        await until(pilot, lambda: f"scp -P 2222 me@gpu:{run.path}/checkpoints/step-" in said(pilot))
        assert pilot.app.screen.farewell()[-1].endswith(f"tui-trainer resume {where}")  # type: ignore[attr-defined]
        await pilot.press("h")
        await seen(pilot, "tui-trainer evaluate ssh://me@gpu:2222/")
        assert isinstance(pilot.app.screen, RemoteHome)
        assert "Rename" not in text_of(pilot) and "New run" not in text_of(pilot)
        await pilot.press("D", "n", "r", "N")
        assert isinstance(pilot.app.screen, RemoteHome) and run.exists()


def said(pilot: Pilot[None]) -> str:
    return " ".join(notification.message for notification in pilot.app._notifications)


async def test_a_mirror_that_nothing_keeps_any_more_is_left_and_not_called_lost(
    far: Far, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with run.hold(), mirrored(Address("me@gpu", 2222, str(run.path)), "", print) as found:
        app = RemoteApp(found)
        async with app.run_test() as pilot:
            await seen(pilot, "● running")
            found.process.kill()
            await until(pilot, lambda: app.return_code is not None)
        assert app.return_code == 3
        assert capsys.readouterr().err.splitlines() == [
            "what mirrors the run here has ended (status -9); training there goes on",
            f"tui-trainer attach ssh://me@gpu:2222{run.path}",
        ]


async def test_leaving_tells_how_to_come_back(far: Far, run: RunFolder) -> None:
    with run.hold():
        async with console(run) as pilot:
            await seen(pilot, "● running")
            (line,) = [line for line in pilot.app.screen.farewell() if line.startswith("next")]  # type: ignore[attr-defined]
            assert line.endswith(f"come back with: tui-trainer attach ssh://me@gpu:2222{run.path}")
            await pilot.press("d")
        assert run.alive()
