"""What a person can tell the run that is shown: each key, each entry of the menu, and each question, at 80x24."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core import commands
from core import events as e
from core.commands import Command
from core.run import inbox
from core.run.folder import RunFile, RunFolder
from tests.core.hostile import EVIL, lets_through
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, check, console, seen, settled, text_of
from tests.tui.test_run_keys import notices, say, told
from tui_trainer import actions
from tui_trainer.screens.ask import AskScreen
from tui_trainer.screens.confirm import ConfirmScreen
from tui_trainer.screens.pick import PickScreen
from tui_trainer.screens.run import RunScreen

RECIPE = {
    "name": "quickstart", "epochs": 20, "optimizer": {"name": "adam", "lr": 1e-3},
    "schedule": {"name": "cosine", "per": "epoch"}, "early_stopping": {"patience": 5},
}  # fmt: skip


def run_of(runs: Path, events: Iterator[e.Event]) -> RunFolder:
    run = made.make(runs, "demo", events)
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name="demo", created=made.NOW - 3600, recipe=RECIPE)))
    return run


@pytest.fixture
def live(runs: Path) -> Iterator[RunFolder]:
    run = run_of(runs, made.running())
    with run.hold():
        yield run


async def opened(pilot: Pilot[Any], run: RunFolder, *keys: str) -> None:
    await settled(pilot, run)
    for key in keys:
        await pressed(pilot, key)


async def pressed(pilot: Pilot[Any], key: str) -> None:
    """And all that comes of it on the screen."""
    await pilot.press(key)
    await still(pilot)


async def still(pilot: Pilot[Any]) -> None:
    """Until the picture has stopped changing."""
    last = ""
    for _ in range(PATIENCE):
        await pilot.pause(0.04)
        if (text := text_of(pilot)) == last:
            return
        last = text


def sent(run: RunFolder) -> list[Command]:
    """Without their ids and times."""
    return [msgspec.structs.replace(command, id="", time=0.0) for command in told(run) if isinstance(command, Command)]


def taken(run: RunFolder) -> list[Command]:
    """What was sent, which is then away."""
    found = sent(run)
    for path in inbox.waiting(run.inbox):
        path.unlink()
    return found


async def typed(pilot: Pilot[Any], text: str) -> None:
    """In place of what was proposed."""
    field = pilot.app.screen.query_one(Input)
    field.value = ""
    field.insert_text_at_cursor(text)
    await still(pilot)


KEYS: dict[tuple[str, ...], Command] = {
    ("v",): commands.Validate(),
    ("c", "v"): commands.Validate(),
    ("c", "h"): commands.SetLearningRate(value=0.5e-3 * 0.5 * (1 + math.cos(math.pi * 7 / 20))),
    ("c", "o"): commands.SetEarlyStopping(enabled=False),
    ("c", "t"): commands.StopAfterEpoch(),
    ("c", "x"): commands.Stop(),
    ("c", "D", "d"): commands.Discard(),
    ("x", "d", "d"): commands.Discard(),
    ("S", "enter"): commands.Save(name="epoch-8-at-760"),
    ("c", "s", "enter"): commands.Save(name="epoch-8-at-760"),
    ("c", "w", "down", "enter", "g"): commands.Rewind(checkpoint="step-00000600"),
    ("c", "down", "enter"): commands.Validate(),
}


async def test_each_key_sends_its_command_once(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        for keys, expected in KEYS.items():
            await opened(pilot, live, *keys)
            found = taken(live)
            if isinstance(expected, commands.SetLearningRate):
                (rate,) = found
                assert isinstance(rate, commands.SetLearningRate) and rate.value == pytest.approx(expected.value)
            else:
                assert found == [expected], keys
            assert isinstance(pilot.app.screen, RunScreen)


TYPED: dict[tuple[str, ...], tuple[str, Command]] = {
    ("n",): ("looks [b]odd[/b]", commands.Remark(text="looks [b]odd[/b]")),
    ("c", "l"): ("1e-4", commands.SetLearningRate(value=1e-4)),
    ("c", "e"): ("+5", commands.SetEpochs(value=25)),
    ("c", "p"): ("8", commands.SetEarlyStopping(patience=8)),
    ("S",): ("early bird", commands.Save(name="early bird")),
}


async def test_what_is_typed_is_sent(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        for keys, (text, command) in TYPED.items():
            await opened(pilot, live, *keys)
            await typed(pilot, text)
            await pressed(pilot, "enter")
            assert taken(live) == [command]


WRONG: dict[tuple[str, ...], list[tuple[str, str]]] = {
    ("c", "l"): [
        ("0", "learning rate 0: expected a number above 0, at most 100"),
        ("nan", "learning rate nan: expected a number above 0"),
        ("x", "expected a number, or x and a factor: 1e-4, x0.5"),
    ],
    ("c", "e"): [
        ("7", "epochs 7: epoch 8 is under way, so expected that or more"),
        ("-13", "epochs 7: epoch 8 is under way"),
        ("1.5", "expected a whole number of epochs: 60, or more or fewer: +5, -3"),
        ("9" * 5000, "expected a whole number of epochs"),
    ],
    ("c", "p"): [("0", "patience 0: expected 1 or more"), ("many", "expected a whole number of epochs")],
    ("S",): [
        ("", "expected a name"),
        ("best", "name: expected at most 100 printable characters"),
        ("mine", "there is a checkpoint of that name already"),
    ],
    ("n",): [("   ", "remark: expected 1 to 2,000 characters")],
}


async def test_a_wrong_value_is_answered_as_it_is_typed_and_not_sent(live: RunFolder) -> None:
    say(live, e.CheckpointSaved(checkpoint="step-00000750", step=750, epoch=8, name="mine"))
    async with console(live).run_test(size=(80, 24)) as pilot:
        for keys, wrong in WRONG.items():
            await opened(pilot, live, *keys)
            for text, words in wrong:
                await typed(pilot, "1")
                await typed(pilot, text)
                assert words in " ".join(text_of(pilot).replace("│", " ").split())
                await pressed(pilot, "enter")
                assert isinstance(pilot.app.screen, AskScreen)
            await pressed(pilot, "escape")
            assert isinstance(pilot.app.screen, RunScreen) and sent(live) == []


async def test_the_plan_is_drawn_before_it_is_confirmed(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live, "c", "e")
        assert "13 epochs to go" in text_of(pilot)
        before = text_of(pilot)
        await typed(pilot, "40")
        assert "33 epochs to go" in text_of(pilot)
        await typed(pilot, "4")  # wrong: the plan as it stands
        assert "13 epochs to go" in text_of(pilot)
        await typed(pilot, "20")
        assert text_of(pilot) == before


async def test_a_change_is_pending_until_the_run_has_answered(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live, "c", "l")
        await typed(pilot, "0.002")
        await pilot.press("enter")
        await seen(pilot, "learning rate 0.002 sent ...")
        (command,) = told(live)
        assert isinstance(command, Command)
        change = e.SettingChanged(step=760, key="learning_rate", value=0.002, previous=0.0007, command=command.id)
        say(live, change, e.CommandAccepted(id=command.id, command="SetLearningRate", note="set"))
        screen = await settled(pilot, live)
        assert "sent ..." not in text_of(pilot)
        assert "learning rate 0.002: set" in await notices(pilot)
        assert screen.state.marks[-1].text == "learning rate 0.0007 -> 0.002"


PICTURES = {
    "menu": ("c",),
    "learning-rate": ("c", "l"),
    "epochs": ("c", "e"),
    "patience": ("c", "p"),
    "save": ("S",),
    "remark": ("n",),
    "rewind": ("c", "w"),
    "rewind-asks": ("c", "w", "enter"),
    "discard-asks": ("c", "D"),
}


@pytest.mark.parametrize("name", PICTURES)
async def test_what_it_looks_like(live: RunFolder, name: str) -> None:
    say(live, e.CheckpointSaved(checkpoint="step-00000750", step=750, epoch=8, name="mine", time=made.NOW - 90, bytes=4 << 20))
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live, *PICTURES[name])
        check(f"steer-{name}-80x24", text_of(pilot))


async def test_all_of_it_fits_into_the_least_terminal(live: RunFolder) -> None:
    async with console(live).run_test(size=(60, 16)) as pilot:
        for keys in PICTURES.values():
            await opened(pilot, live, *keys)
            screen = pilot.app.screen
            box = screen.query_one("#pick, #ask, #confirm")
            assert screen.region.contains_region(box.region), keys
            assert all(box.region.contains_region(widget.region) for widget in box.query("*") if widget.region.area), keys
            await pressed(pilot, "escape")


async def test_the_menu_at_60x16(live: RunFolder) -> None:
    async with console(live).run_test(size=(60, 16)) as pilot:
        await opened(pilot, live, "c")
        check("steer-menu-60x16", text_of(pilot))


async def test_the_plan_with_a_change_at_60x16(live: RunFolder) -> None:
    async with console(live).run_test(size=(60, 16)) as pilot:
        await opened(pilot, live, "c", "e")
        await typed(pilot, "+10")
        check("steer-epochs-changed-60x16", text_of(pilot))


# What cannot be done is said in words

NOT_NOW: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "before the journal": (made.empty, ("p", "s", "v", "n", "S"), "training has not begun yet"),
    "while data are read": (made.warming_up, ("p", "s", "v", "n", "S"), "training has not begun yet"),
    "paused": (made.paused, ("v",), "the run is paused; p goes on"),
    "measuring": (made.validating, ("v",), "a split is being measured right now"),
    "ended": (made.early_stopped, ("p", "s", "v", "n", "S", "c", "x", "d"), "the run has ended (early-stopped)"),
    "stopped": (made.stopped, ("p", "s", "c"), "the run has ended (stopped); r resumes it"),
}


@pytest.mark.parametrize("state", NOT_NOW)
async def test_a_key_that_cannot_do_anything_says_why(runs: Path, state: str) -> None:
    events, keys, words = NOT_NOW[state]
    run = run_of(runs, events())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            for number, key in enumerate(keys, 1):
                await pilot.press(key)
                assert (await notices(pilot)).count(words) == number, key
            assert sent(run) == [] and isinstance(pilot.app.screen, RunScreen)


async def test_a_lost_run_says_that_nobody_trains_it(runs: Path) -> None:
    run = run_of(runs, made.running())
    async with console(run).run_test(size=(80, 24)) as pilot:
        await opened(pilot, run, "c")
        assert "nobody trains this run any more; r resumes it" in await notices(pilot)


@pytest.mark.parametrize("events", [made.empty, lambda: iter([made.started(epochs=3)])], ids=["nothing said", "first step"])
async def test_no_entry_fails_before_the_first_metric(runs: Path, events: Any) -> None:
    run = run_of(runs, events())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            for action in actions.menu():
                await pressed(pilot, "c")
                await pressed(pilot, action.menu)
                while not isinstance(pilot.app.screen, RunScreen):
                    await pressed(pilot, "escape")
            assert pilot.app.is_running and lets_through(text_of(pilot)) == []


async def test_a_paused_run_can_be_changed(runs: Path) -> None:
    run = run_of(runs, made.paused())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run, "c", "o")
            await opened(pilot, run, "c", "v")
            assert "the run is paused; p goes on" in await notices(pilot)
    assert sent(run) == [commands.SetEarlyStopping(enabled=False)]


async def test_a_run_that_holds_nothing_out_says_so(runs: Path) -> None:
    run = run_of(runs, iter([made.started(monitor=""), *made.training(1, 30)]))
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run, "v")
            assert "this run holds no images out to measure on" in await notices(pilot)
            await opened(pilot, run, "c", "p")
            assert (await notices(pilot)).count("this run holds no images out to measure on") == 2
    assert sent(run) == []


# Hostile


async def test_hostile_checkpoints_and_values(runs: Path) -> None:
    run = run_of(runs, made.running())
    say(run, e.CheckpointSaved(checkpoint=EVIL, step=750, epoch=8, name=EVIL))
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run, "c", "w")
            assert isinstance(pilot.app.screen, PickScreen)
            assert "evil" in text_of(pilot) and lets_through(text_of(pilot)) == []
            await pressed(pilot, "enter")
            assert isinstance(pilot.app.screen, ConfirmScreen)
            assert lets_through(text_of(pilot)) == []
            await pilot.press("g")
            await seen(pilot, "rewind to evil")
            assert lets_through(text_of(pilot)) == []
            assert sent(run) == [commands.Rewind(checkpoint=EVIL)]
            await opened(pilot, run, "S")
            await typed(pilot, EVIL)  # a paste; what does not print does not get in
            await typed(pilot, "[bold]b[/bold][/x]")
            assert "[bold]b[/bold][/x]" in text_of(pilot) and lets_through(text_of(pilot)) == []
