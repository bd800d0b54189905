"""The recording that comes with the package: what is in it, how it plays, and what its keys answer."""

from __future__ import annotations

import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core import events as e
from core.run import media
from core.run.folder import RunFolder
from core.run.journal import find, read_all
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening
from tests.tui.screens import seen, text_of
from tests.tui.test_replay import moved
from tui_trainer.demo import DemoApp
from tui_trainer.recording import _unpack, packed, unpacked
from tui_trainer.screens.demo import START, DemoScreen

LARGEST = 1_500_000
"""Bytes that it may add to the package."""
FOREIGN = re.compile(rb"/(?:home|work|root|tmp|Users|usr|opt|mnt|var|dev)/|\w@[\w-]+\.\w|\d+\.\d+\.\d+\.\d+|localhost")
"""Paths, addresses, and names of machines."""


@pytest.fixture
def recording() -> Iterator[RunFolder]:
    with unpacked() as run:
        yield run


def end_of(run: RunFolder) -> State:
    return fold(opening(run), read_all(run.journal))


def test_it_is_small_and_for_its_owner_alone_and_gone_afterwards() -> None:
    assert len(packed().read_bytes()) < LARGEST
    with unpacked() as run:
        folder = run.path.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert run.exists()
    assert not folder.exists()


def test_it_tells_nothing_of_the_machine_that_it_was_made_on(recording: RunFolder) -> None:
    for path in (recording.run_file, recording.journal):
        assert not FOREIGN.search(path.read_bytes()), path.name
    assert {event.process for event in find(recording.journal, e.RunStarted, e.RunResumed)} == {0}
    with packed().open("rb") as file, tarfile.open(fileobj=file) as archive:
        owners = {(member.uname, member.gname, member.uid, member.mtime) for member in archive}
    assert owners == {("", "", 0, 0)}


def test_it_has_something_for_every_page(recording: RunFolder) -> None:
    state = end_of(recording)
    assert state.ended and {"train.loss", "val.loss", "val.accuracy", "train.learning_rate"} <= set(state.series)
    assert len(state.rows) == len(state.class_history["validation"].points) >= 8 and len(state.classes) == 10
    assert {"setting", "remark", "resume"} <= {mark.kind for mark in state.marks}
    assert find(recording.journal, e.RunPaused) and find(recording.journal, e.EarlyStoppingUpdated)
    assert state.device_readings and state.checkpoints


def test_all_its_pictures_are_whole(recording: RunFolder) -> None:
    shown = [event.media for event in find(recording.journal, e.PicturesLogged)]
    assert shown and all(media.read(recording.media, name) for name in shown)
    assert {path.name for path in media.listing(recording.media)} == set(shown)


async def playing(pilot: Pilot[None], step: int = 1) -> DemoScreen:
    """Once it has come to a step."""
    await seen(pilot, "demo ")
    screen = pilot.app.screen
    assert isinstance(screen, DemoScreen)
    while screen.state.step < step:
        assert screen._playing
        await pilot.pause(0.05)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_plays_at_once_and_to_its_end(recording: RunFolder, size: tuple[int, int]) -> None:
    async with DemoApp(recording, 1000).run_test(size=size) as pilot:
        screen = await playing(pilot)
        while screen._playing:
            assert "demo 1000x: " in text_of(pilot)
            await pilot.pause(0.05)
        assert await moved(pilot) == end_of(recording)
        assert await moved(pilot, "home") == opening(recording)
        await pilot.press("space")
        await playing(pilot)


async def test_it_is_held_and_led_like_any_replay(recording: RunFolder) -> None:
    async with DemoApp(recording, 300).run_test(size=(120, 40)) as pilot:
        screen = await playing(pilot, 20)
        await pilot.press("space")
        held = await moved(pilot)
        assert not screen._playing and "playing" not in text_of(pilot)
        assert len((await moved(pilot, "down", "down")).rows) == len(held.rows) + 2
        assert (await moved(pilot, "home")).step == 0
        await pilot.press("4")
        await seen(pilot, "mistakes")


async def test_what_would_steer_says_that_it_is_a_recording(recording: RunFolder) -> None:
    async with DemoApp(recording, 8).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await playing(pilot)
        await moved(pilot, "space")
        for key in ("p", "x", "c", "r", "n", "h", "escape", "b"):
            await pilot.press(key)
            await seen(pilot, "this is a recording.")
            pilot.app.clear_notifications()
            while "this is a recording." in text_of(pilot):
                await pilot.pause(0.05)
        assert pilot.app.screen is screen and not list(recording.inbox.glob("*"))
        offered = {action.id for _, action in screen.offered()}
        assert {"play", "quit", "help"} <= offered and not offered & {"present", "pause", "resume"}


async def test_q_leaves_and_says_how_to_train(recording: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    async with DemoApp(recording, 15).run_test(size=(80, 24)) as pilot:
        await playing(pilot)
        await pilot.press("q")
    assert START in capsys.readouterr().err


async def test_the_end_names_no_weights_that_are_not_there(recording: RunFolder) -> None:
    async with DemoApp(recording, 15).run_test(size=(120, 40)) as pilot:
        await playing(pilot)
        await moved(pilot, "space", "end")
        await seen(pilot, f"next    {START}")
        assert str(Path(recording.path)) not in text_of(pilot).replace("\n", "")


@pytest.mark.parametrize("name", ["../beside", "/tmp/beside", "inside/../../beside"])
def test_what_leads_out_of_the_recording_is_not_unpacked(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "made.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    (tmp_path / "folder").mkdir()
    with tarfile.open(tmp_path / "made.tar") as archive, pytest.raises(ValueError, match="leads out"):
        for member in archive:
            _unpack(archive, member, tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == [] and not (tmp_path / "beside").exists()
