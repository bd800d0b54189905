"""Looking back: every key of the replay, on runs that live and runs that have ended."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalWriter, read_all
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, check, console, panel, seen, settled, text_of, trained
from tests.tui.test_run_keys import told
from tui_trainer.replay import Replay
from tui_trainer.screens.help import HelpScreen
from tui_trainer.screens.replay import ReplayScreen

SIZES = [(80, 24), (120, 40), (200, 60)]


async def opened(pilot: Pilot[Any], run: RunFolder) -> ReplayScreen:
    await settled(pilot, run)
    await pilot.press("b")
    await seen(pilot, "replay:")
    screen = pilot.app.screen
    assert isinstance(screen, ReplayScreen)
    return screen


async def moved(pilot: Pilot[Any], *keys: str) -> State:
    """What the screen shows once these keys have taken effect."""
    await pilot.press(*keys)
    screen = pilot.app.screen
    assert isinstance(screen, ReplayScreen)
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        if not screen._replay.busy and screen.state == screen._replay.state and all(map(_drawn, screen._panels())):
            await pilot.pause()
            return screen.state
    raise AssertionError(f"it goes on and on:\n{text_of(pilot)}")


def _drawn(panel: Any) -> bool:
    screen = panel.screen
    return bool(panel._reads == panel.reads(screen.state, screen._now()))


@pytest.fixture
def run(runs: Path) -> RunFolder:
    return made.make(runs, "demo", made.early_stopped())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_everything_is_as_it_was(run: RunFolder, size: tuple[int, int]) -> None:
    async with console(run).run_test(size=size) as pilot:
        await opened(pilot, run)
        await moved(pilot, *["up"] * 8)
        check(f"replay-{size[0]}x{size[1]}", text_of(pilot))
        assert "replay: epoch 7, step 700 of 2,000" in text_of(pilot)


async def test_up_and_down_go_by_epochs(run: RunFolder) -> None:
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        assert (await moved(pilot, "up")).rows[-1].epoch == 14
        assert (await moved(pilot, "up", "up")).rows[-1].epoch == 12
        assert (await moved(pilot, "down")).rows[-1].epoch == 13
        assert (await moved(pilot, "down", "down")).status == "early-stopped"


async def test_left_and_right_go_by_hundredths(run: RunFolder) -> None:
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        back = await moved(pilot, *["left"] * 50)
        assert 600 <= back.step <= 800 and back.status == "running"
        forth = await moved(pilot, *["right"] * 10)
        assert 100 <= forth.step - back.step <= 200


async def test_close_by_the_journal_is_read_no_farther_than_the_moment(run: RunFolder) -> None:
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, run)
        assert screen.lens.until == run.journal.stat().st_size
        epochs = [place for place, event in enumerate(read_all(run.journal)) if isinstance(event, e.EpochDone)]
        await moved(pilot, "up")
        lines = run.journal.read_bytes().splitlines(keepends=True)
        assert screen.lens.until == sum(map(len, lines[: epochs[-1] + 1]))


async def test_home_and_end_lead_to_the_ends(run: RunFolder) -> None:
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        assert await moved(pilot, "home") == opening(run)
        assert "replay: before training" in text_of(pilot)
        assert await moved(pilot, "end") == fold(opening(run), read_all(run.journal))


async def test_from_mark_to_mark(runs: Path) -> None:
    run = made.make(runs, "demo", made.resumed())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            await opened(pilot, run)
            assert (await moved(pilot, "comma")).marks[-1].kind == "resume"
            assert (await moved(pilot, "comma")).seq == -1
            assert (await moved(pilot, "full_stop")).step == 700
            assert (await moved(pilot, "full_stop")).step == 730


async def test_space_plays_to_the_end_and_holds(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.screens.replay.FRAME", 0.03)
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, run)
        await pilot.press("space")  # from the beginning, since this is the end
        await seen(pilot, ", playing")
        while not 300 <= screen.state.step < 1400:
            await pilot.pause(0.01)
        await pilot.press("space")
        held = await moved(pilot)
        assert 300 <= held.step < 1400 and "playing" not in text_of(pilot)
        await pilot.press("space")
        await seen(pilot, "step 1,400 of 2,000 ")
        assert not screen._playing


@pytest.mark.parametrize("key", ["escape", "b"])
async def test_back_in_the_present_it_has_gone_on(runs: Path, key: str) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(120, 40)) as pilot:
            replayed = await opened(pilot, run)
            await moved(pilot, "up", "up")
            journal.append(e.StepDone(step=770, epoch=8, steps=10, images=1000, seconds=6.6))
            await pilot.pause(0.3)
            assert replayed.state.step == 600
            await pilot.press(key)
            screen = await settled(pilot, run)
            assert not isinstance(screen, ReplayScreen) and screen.state.step == 770
            assert not replayed._replay._thread.is_alive() or replayed._replay._stopping.is_set()


async def test_in_the_past_nothing_steers_and_the_views_work(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            await moved(pilot, "up")
            await pilot.press("p", "s", "x", "d", "r")
            await pilot.pause()
            assert pilot.app.screen is screen and told(run) == []
            await pilot.press("5")
            assert panel(screen, "Checkpoints").is_on_screen
            await pilot.press("tab", "z")
            assert sum(panel.is_on_screen for panel in screen._panels()) == 1
            await pilot.press("question_mark")
            assert isinstance(pilot.app.screen, HelpScreen)
            await pilot.press("escape")
            offered = {command.title for command in pilot.app.get_system_commands(screen)}
            assert {"Play", "Now", "Help"} <= offered and not offered & {"Pause", "Resume", "Save"}


async def test_a_lost_run_is_not_offered_to_be_resumed_in_the_past(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, run)
        assert "resume" not in {action.id for _, action in screen.offered()}


async def test_before_the_first_event_no_key_hurts(runs: Path) -> None:
    run = made.make(runs, "demo", made.empty())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            await moved(pilot, "left", "right", "up", "down", "home", "end", "space", "space", "comma", "full_stop")
            assert isinstance(pilot.app.screen, ReplayScreen)


async def test_a_text_is_typed_in_the_past_too(run: RunFolder) -> None:
    run.log.write_text("two words\n")
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, run)
        await pilot.press("5")
        panel(screen, "WorkerOutput").focus()
        await pilot.press("slash", *"two words")
        await seen(pilot, "/two words_")
        assert not screen._playing


def killed(replay: Replay) -> None:
    assert replay._child is not None
    replay._child.kill()
    replay._child.wait()


def cut_off(replay: Replay) -> None:
    """Whose pipe to us is gone."""
    assert replay._child is not None and replay._child.stdin is not None
    replay._child.stdin.close()


@pytest.mark.parametrize("harm", [killed, cut_off])
async def test_without_its_process_it_is_done_here(run: RunFolder, harm: Callable[[Replay], None]) -> None:
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, run)
        assert (await moved(pilot, "up")).rows[-1].epoch == 14
        harm(screen._replay)
        assert (await moved(pilot, "up")).rows[-1].epoch == 13


async def test_where_no_process_can_be_started_it_is_done_here(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise OSError("no more processes")

    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        monkeypatch.setattr(subprocess, "Popen", refused)
        await opened(pilot, run)
        assert (await moved(pilot, "up")).rows[-1].epoch == 14


def test_moves_that_wait_are_one(run: RunFolder) -> None:
    replay = Replay(run, State())
    for by in (1, 1, 1):
        replay.move("hundredth", by)
    replay.move("epoch", -1)
    replay.move("epoch", -1)
    replay.stop()
    first = replay._next()
    assert first and (first.kind, first.by) == ("hundredth", 3)
    assert replay._next() is None  # it is to stop


def test_a_lost_or_living_run_can_be_looked_back_at(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    for live in (True, False):
        with trained(run, live):
            replay = Replay(run, State())
            replay.start()
            replay.move("epoch", -1)
            replay._wanted.join()
            assert replay.state.rows[-1].epoch == 7
            replay.stop()
            replay._thread.join(10)
            assert not replay._thread.is_alive()


async def test_q_asks_in_the_present_what_becomes_of_the_run(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            await pilot.press("q")
            await seen(pilot, "This run is still training.")
            assert not any(isinstance(screen, ReplayScreen) for screen in pilot.app.screen_stack)
