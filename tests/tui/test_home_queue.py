"""Home and what waits in the queue: where it stands, what is said of it, and the keys that move it and take it out."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core import recipe as recipes
from core.queue.entries import Entry, waiting
from core.queue.folder import QueueFolder
from core.run import lock
from tests.tui import runs as made
from tests.tui.screens import check, text_of, until
from tests.tui.test_home import add, console, selected, settled, shown
from tui_trainer.screens.confirm import ConfirmScreen
from tui_trainer.screens.home import HomeScreen

SEEDS = (3, 1, 2)


def entry(seed: int, **settings: Any) -> Entry:
    recipe = recipes.to_table(recipes.load("quickstart", [f"seed={seed}", "epochs=30"]))
    fields = {"name": f"night-{seed}", "asked": "quickstart", "changes": ("epochs=30",), "added": made.NOW - 60 * seed}
    return Entry(id=secrets.token_hex(8), recipe=recipe, **{**fields, **settings})


@pytest.fixture
def queue(runs: Path) -> Iterator[QueueFolder]:
    """Three that wait, beside a run that is trained, which came from the queue too, and one that has ended."""
    queue = QueueFolder(runs)
    add(runs, "stopped", made.stopped(), age=600)
    run = add(runs, "running", made.running(), age=5)
    with queue.edit() as entries:
        entries += [entry(9, name="running", state="training", device="cpu"), *map(entry, SEEDS)]
    with run.hold():
        yield queue


def order(queue: QueueFolder) -> list[int]:
    return [item.seed for item in waiting(queue.read())]


def rows(pilot: Pilot[Any]) -> list[str]:
    """Names and what their rows begin with, as far as the list goes."""
    lines = (line.strip("│ ").split() for line in text_of(pilot).splitlines())
    return [words[0] for words in lines if words and (words[0].startswith("night-") or words[0] in ("running", "stopped"))]


async def to(pilot: Pilot[Any], screen: HomeScreen, name: str) -> None:
    names = [item.run.name for item in screen._listed]
    await pilot.press("home", *["down"] * names.index(name))
    await until(pilot, lambda: selected(screen) == name)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_waits_stands_between_the_living_and_the_others(queue: QueueFolder, size: tuple[int, int]) -> None:
    app = console(queue.runs)
    async with app.run_test(size=size) as pilot:
        screen = await settled(pilot)
        await to(pilot, screen, "night-1")
        await until(pilot, shown(pilot, "2 of 3 that wait"))
        await until(pilot, lambda: "Cancel" in text_of(pilot).splitlines()[-1])
        check(f"home-queue-{size[0]}x{size[1]}", text_of(pilot))


async def test_a_queued_entry_is_no_run(queue: QueueFolder) -> None:
    app = console(queue.runs)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await to(pilot, screen, "night-3")
        for key in ("enter", "space", "r", "e", "N", "D", "y"):
            await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is screen and not screen.marked and order(queue) == [3, 1, 2]
        await to(pilot, screen, "stopped")
        for key in ("x", "K", "J"):
            await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is screen and order(queue) == [3, 1, 2]


async def test_keys_move_it_and_the_cursor_goes_along(queue: QueueFolder) -> None:
    app = console(queue.runs)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await to(pilot, screen, "night-2")
        await pilot.press("K")
        await until(pilot, lambda: rows(pilot)[:4] == ["running", "night-3", "night-2", "night-1"])
        assert order(queue) == [3, 2, 1] and selected(screen) == "night-2"
        await pilot.press("shift+up")
        await until(pilot, lambda: rows(pilot)[:2] == ["running", "night-2"])
        await pilot.press("K")  # it is the first
        await pilot.press("J")
        await until(pilot, lambda: order(queue) == [3, 2, 1])
        assert selected(screen) == "night-2"


async def test_it_is_taken_out_once_that_is_confirmed(queue: QueueFolder) -> None:
    app = console(queue.runs)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await to(pilot, screen, "night-1")
        for key, left in (("escape", [3, 1, 2]), ("y", [3, 2])):
            await pilot.press("x")
            await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
            await until(pilot, shown(pilot, "Take night-1 out of the queue?"))
            await pilot.press(key)
            await until(pilot, lambda: pilot.app.screen is screen)
            await until(pilot, lambda: order(queue) == left)  # noqa: B023
        await until(pilot, lambda: "night-1" not in rows(pilot))
        assert {item.name: item.state for item in queue.read()}["night-1"] == "cancelled"


async def test_the_queue_alone_is_a_list_too_and_says_who_begins_it(runs: Path) -> None:
    queue = QueueFolder(runs)
    with queue.edit() as entries:
        entries.append(entry(1, asked="mine.toml"))
    descriptor = lock.take(queue.runner_lock, patience=0)
    app = console(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, shown(pilot, "no runs yet, 1 queued"))
        await until(pilot, shown(pilot, "the next; begins when a device is free"))
        assert "from mine.toml, seed 1" in text_of(pilot) and "no process" not in text_of(pilot)
        lock.release(descriptor)
        await until(pilot, shown(pilot, "no process begins it: tui-trainer queue run"))


async def test_names_that_clash_and_a_damaged_queue_do_no_harm(queue: QueueFolder) -> None:
    with queue.edit() as entries:
        entries += [entry(4, name="stopped"), entry(5, name="night-3")]
    app = console(queue.runs)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        assert [item.run.name for item in screen._listed] == [
            "running", "night-3", "night-1", "night-2", "stopped-2", "night-3-2", "stopped",
        ]  # fmt: skip
        queue.file.write_bytes(b'{"entries": [{"id": "\x1b[31m"}]}')
        await until(pilot, lambda: "queue.json: damaged (" in text_of(pilot))
        await until(pilot, lambda: rows(pilot) == ["running", "stopped"])
