"""The console on runs of which every name, text and figure is hostile."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import Input

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalReader
from core.view.fold import fold
from core.view.state import State
from tests.core.hostile import EVIL, NAME, hostile, lets_through
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, text_of, trained
from tui_trainer.app import TrainerApp
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.panel import Panel

ENDS: dict[str, list[Event]] = {
    "lost": [],
    "failed": [e.RunFailed(kind=EVIL, reason=EVIL, weights=EVIL)],
    "finished": [e.RunFinished(weights=EVIL)],
    "waiting": [e.PhaseStarted(phase=EVIL, label=EVIL, total=3, unit=EVIL)],
    "held up": [e.RunPaused(reason=EVIL)],
    "not resumed": [e.ResumeRefused(reason=EVIL)],
}
LIVING = ("waiting", "held up")
HUGE = 1 << 53
"""The largest whole number that an event may have."""


def make(runs: Path, events: Iterable[Event], end: str) -> RunFolder:
    texts = [e.RemarkAdded(), e.MessageLogged(), e.CommandRejected(), e.SettingChanged()]
    told = [*map(hostile, events), *map(hostile, texts), *ENDS[end]]
    run = made.make(runs, NAME, told)
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name=EVIL, recipe={"name": EVIL})))
    run.log.write_bytes(EVIL.encode() + b"\n\x9b31mevil\xff\n")
    return run


def check(pilot: Pilot[Any], words: str = "evil") -> None:
    text = text_of(pilot)
    assert words in text
    assert lets_through(text) == []


async def every_panel_alone(pilot: Pilot[Any]) -> None:
    await pilot.press("z")
    for _ in pilot.app.screen.query(Panel):
        await pilot.press("tab")
        await pilot.pause()
        assert lets_through(text_of(pilot)) == []
    await pilot.press("z")


@pytest.mark.parametrize("end", ENDS)
async def test_the_run_screen(runs: Path, end: str) -> None:
    run = make(runs, made.running(), end)
    with trained(run, live=end in LIVING):
        async with console(run).run_test(size=(200, 60)) as pilot:
            screen = await settled(pilot, run)
            check(pilot)
            assert "[bold]" in text_of(pilot)  # as it is, and nothing is bold by it
            if end == "lost":
                await every_panel_alone(pilot)
            screen._say(EVIL, "error")
            await seen(pilot, "evil\\x1b")
            check(pilot)


@pytest.mark.parametrize("kind", ["origin", "program"])
async def test_every_page_of_a_run_that_is_not_ours(runs: Path, kind: str) -> None:
    events = [
        msgspec.structs.replace(event, **{kind: EVIL}) if isinstance(event, e.RunStarted) else event for event in made.running()
    ]
    run = make(runs, events, "finished")
    async with console(run).run_test(size=(200, 60)) as pilot:
        await seen(pilot, "evil")
        for page in "12345":
            await pilot.press(page)
            await pilot.pause(0.2)
            check(pilot)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_home(runs: Path, size: tuple[int, int]) -> None:
    make(runs, made.running(), "failed")
    async with TrainerApp(runs, clock=lambda: made.NOW).run_test(size=size) as pilot:
        await seen(pilot, "evil")
        await seen(pilot, "stopping")
        check(pilot)


async def test_the_form(runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recipe, "_folder", lambda: tmp_path)
    described = replace(recipe.Recipe(), name="quickstart", description=EVIL)
    (tmp_path / "quickstart.toml").write_text(recipe.to_toml(described))
    (tmp_path / f"{NAME}.toml").write_text(recipe.to_toml(described))
    async with TrainerApp(runs, clock=lambda: made.NOW).run_test(size=(80, 24)) as pilot:
        await seen(pilot, "evil")
        check(pilot)
        field = pilot.app.screen.query_one("#path", Input)
        field.focus()
        field.insert_text_at_cursor("/images/\u202e")
        field.insert_text_at_cursor("\x9b2J")
        field.insert_text_at_cursor("größe/蟻")
        assert field.value == "größe/蟻"
        check(pilot)


@pytest.mark.parametrize("key", ["d", "q"])
async def test_the_words_after_the_console(runs: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    run = make(runs, made.running(), "waiting")
    with trained(run, live=True):
        app = console(run)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await pilot.press(key)
            if key == "q":
                await seen(pilot, "still training")
                await pilot.press("d")
    for said in app._exit_renderables:
        assert isinstance(said, Text)
        app.error_console.print(said)
    assert "attach" in stderr.getvalue() and "evil" in stderr.getvalue()
    assert lets_through(stderr.getvalue()) == []


async def test_a_defect_of_the_console_is_told_safely(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    run = make(runs, made.running(), "lost")
    monkeypatch.setattr(RunScreen, "action_zoom", _fail)
    app = console(run)
    with pytest.raises(RuntimeError):
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await pilot.press("z")
            await pilot.pause()
    for said in app._exit_renderables:
        app.error_console.print(said)
    assert "RuntimeError" in stderr.getvalue() and "evil" in stderr.getvalue()
    assert lets_through(stderr.getvalue()) == []


def _fail(screen: RunScreen) -> None:
    raise RuntimeError(EVIL.replace("\n", ""))  # a message's own lines are told as lines


def absurd(event: Event, figure: int) -> Event:
    """The event with such a figure wherever it has one."""
    return replace(event, **{name: _absurd(getattr(event, name), figure) for name in event.__struct_fields__ if name != "seq"})


def _absurd(value: Any, figure: int) -> Any:
    match value:
        case bool():
            return value
        case int():
            return figure
        case float():
            return figure * 1e290
        case (int(), *_):
            return (figure,) * len(value)
        case dict():
            return dict.fromkeys(value, figure * 1e290)
    return value


@pytest.mark.parametrize("figure", [HUGE, -HUGE, 0])
@pytest.mark.parametrize("which", ["running", "early_stopped", "diverged", "validating"])
async def test_absurd_figures(runs: Path, which: str, figure: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "_at", lambda event, time: event)
    run = made.make(runs, "demo", [absurd(event, figure) for event in getattr(made, which)()])
    with run.journal.open("ab") as journal:
        digits = b"9" * 400
        journal.write(b'{"type":"ValidationDone","correct":[' + digits + b'],"images":[1],"step":' + digits + b"}\n")
        journal.write(b'{"type":"EarlyStoppingUpdated","patience":' + digits + b',"metric":"val.loss","best":0.1}\n')
    with trained(run, live=which == "validating"):
        async with console(run).run_test(size=(200, 60)) as pilot:
            await pilot.pause(0.3)
            await pilot.press("h")
            await seen(pilot, "demo")
            assert lets_through(text_of(pilot)) == []


def test_a_figure_that_no_run_has_makes_a_line_unknown(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type":"StepDone","seq":0,"step":%d}\n{"type":"StepDone","seq":1,"step":%d}\n' % (HUGE, HUGE + 1))
    first, second = JournalReader(path).read()
    assert isinstance(first, e.StepDone) and isinstance(second, e.Unknown)
    assert fold(State(), [first, second]).step == HUGE
