"""The page of details: recipe, model, checkpoints, device and the worker's log alone, and each of their keys."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from core import events as e
from core import recipe
from core.events import Event
from core.run import session
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.tui import runs as made
from tests.tui.screens import console, panel, seen, settled, text_of
from tests.tui.states import busy
from tui_trainer.panels.checkpoints import Checkpoints
from tui_trainer.panels.worker_output import WorkerOutput
from tui_trainer.screens.run import RunScreen

LOG = "loading the data\n" + "".join(f"step {step} of 300\n" for step in range(300)) + "\x1b[31mthe last line [bold]\n"


def make(runs: Path, events: Iterator[Event], log: str = LOG) -> RunFolder:
    """With the whole recipe in its run.json."""
    run = made.make(runs, "demo", events)
    described = replace(run.read(), recipe=recipe.to_table(recipe.load("quickstart")))
    run.run_file.write_bytes(msgspec.json.encode(described))
    run.log.write_text(log)
    return run


async def opened(pilot: Pilot[Any], run: RunFolder) -> RunScreen:
    """The page, once torch has said what the network is."""
    screen = await settled(pilot, run)
    await pilot.press("5")
    await seen(pilot, "78,042 parameters")
    await settled(pilot, run)
    return screen


async def zoomed(pilot: Pilot[Any], run: RunFolder, name: str) -> str:
    """One panel alone."""
    screen = await opened(pilot, run)
    panel(screen, name).focus()
    await pilot.press("z")
    await settled(pilot, run)
    return text_of(pilot)


async def test_settings_that_were_changed_stand_above_the_recipe(runs: Path) -> None:
    run = make(runs, busy())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            lines = (await zoomed(pilot, run, "RecipeText")).splitlines()
            (title,) = [place for place, line in enumerate(lines) if "recipe  2 changed live" in line]
            assert "from step 700 on" in lines[title + 1] and "0.005 -> 0.001" in lines[title + 1]
            assert "from step 710 on" in lines[title + 2] and "20 -> 30" in lines[title + 2]
            assert "epochs = 25" not in "".join(lines[:title])
            await pilot.press("end")
            await seen(pilot, "every_seconds = 20.0")


async def test_a_damaged_recipe_says_so_and_the_rest_is_shown(runs: Path) -> None:
    run = make(runs, made.running())
    run.run_file.write_text("{[bold]")
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            await settled(pilot, run)
            await pilot.press("5")
            await seen(pilot, "damaged", times=2)
            assert "step 299 of 300" in text_of(pilot)


async def test_the_layers_have_shapes_parameters_and_macs(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            text = await zoomed(pilot, run, "Model")
            assert "Conv2d" in text and "16x32x32" in text and "Linear" in text


async def test_a_checkpoint_is_selected_by_keys_and_stays_so(runs: Path) -> None:
    run = make(runs, busy())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            listed = panel(screen, "Checkpoints")
            assert isinstance(listed, Checkpoints)
            listed.focus()
            assert listed.chosen and listed.chosen.name == "before [b]it[/b]"
            steps = []
            for key in ("down", "j", "down", "down", "down", "down", "down", "down", "k", "up"):
                await pilot.press(key)
                steps.append(listed.chosen.step)
            assert steps == [700, 600, 500, 400, 300, 200, 100, 100, 200, 300]
            assert "▸        300" in text_of(pilot)  # it has scrolled along
            with JournalWriter(run.journal) as journal:
                journal.append(e.CheckpointSaved(checkpoint="step-00000760", step=760, epoch=8))
            await settled(pilot, run)
            assert listed.chosen.step == 300
            await pilot.press(*["up"] * 9)
            assert listed.chosen.step == 760


async def test_w_resumes_an_ended_run_from_the_selected_one(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, str]] = []

    def start(run: RunFolder, checkpoint: str) -> subprocess.Popen[bytes]:
        started.append((run.name, checkpoint))
        return subprocess.Popen(["true"])

    monkeypatch.setattr(session, "start", start)
    run = make(runs, made.early_stopped())
    async with console(run).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, run)
        panel(screen, "Checkpoints").focus()
        await pilot.press("down", "w")
        await seen(pilot, "Go back to step-00001300? 100 steps are")
        await pilot.press("escape", "w", "g")
        await pilot.app.workers.wait_for_complete()
        assert started == [("demo", "step-00001300")]


async def test_without_a_checkpoint_no_key_hurts(runs: Path) -> None:
    run = make(runs, made.empty())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            panel(screen, "Checkpoints").focus()
            await pilot.press("down", "up", "e")
            assert panel(screen, "Checkpoints").chosen is None  # type: ignore[attr-defined]


async def test_e_says_why_a_checkpoint_cannot_be_copied(runs: Path) -> None:
    run = make(runs, busy())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            panel(screen, "Checkpoints").focus()
            await pilot.press("e")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert any("has no checkpoint" in notice.message for notice in pilot.app._notifications)


def output(screen: RunScreen) -> WorkerOutput:
    found = panel(screen, "WorkerOutput")
    assert isinstance(found, WorkerOutput)
    return found


async def test_the_log_follows_what_is_printed_unless_it_was_scrolled_up(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold(), run.log.open("a") as log:
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            assert "\\x1b[31mthe last line [bold]" in text_of(pilot)
            print("one more", file=log, flush=True)
            await seen(pilot, "one more")
            output(screen).scroll_home(animate=False)
            print("and another", file=log, flush=True)
            await settled(pilot, run)
            assert "loading the data" in text_of(pilot) and "another" not in text_of(pilot)


async def test_slash_searches_the_log_for_the_newest_first(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            output(screen).focus()
            await pilot.press("slash", *"STEP 12q", "backspace")
            await settled(pilot, run)
            assert "/STEP 12_  11 of 11" in text_of(pilot) and "step 129 of 300" in text_of(pilot)
            await pilot.press("enter", "n")
            await settled(pilot, run)
            assert "/STEP 12  1 of 11" in text_of(pilot) and "step 12 of 300" in text_of(pilot)
            await pilot.press("n", "n", "N")
            await settled(pilot, run)
            assert "2 of 11" in text_of(pilot) and "step 120 of 300" in text_of(pilot)


async def test_a_search_that_is_given_up_leaves_the_one_before(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            output(screen).focus()
            await pilot.press("slash", *"data", "enter", "slash", *"nowhere")
            await settled(pilot, run)
            assert "/nowhere_  0" in text_of(pilot)
            await pilot.press("escape")
            await settled(pilot, run)
            assert "/data  1" in text_of(pilot) and pilot.app.screen is screen


async def test_while_a_text_is_typed_no_key_steers(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            output(screen).focus()
            await pilot.press("slash", *"pxsdqhtz15y")
            await settled(pilot, run)
            assert "/pxsdqhtz15y_" in text_of(pilot) and pilot.app.screen is screen
            assert not screen._pending


async def test_tab_reaches_every_panel_of_the_page(runs: Path) -> None:
    run = make(runs, made.running())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            names = [type(screen.focused).__name__]
            for _ in range(4):
                await pilot.press("tab")
                names.append(type(screen.focused).__name__)
            assert names == ["RecipeText", "Model", "Checkpoints", "Machine", "WorkerOutput"]
