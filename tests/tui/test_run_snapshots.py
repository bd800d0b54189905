"""The overview at odd sizes and in the states that test_pages leaves out, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.events import Event
from tests.tui import runs as made
from tests.tui.screens import check, console, settled, text_of, trained

LIVE: dict[str, Callable[[], Iterator[Event]]] = {
    "running": made.running,
    "validating": made.validating,
    "held_up": made.held_up,
    "resumed": made.resumed,
    "on_test": made.on_test,
    "hostile": made.hostile,
}
ENDED: dict[str, Callable[[], Iterator[Event]]] = {
    "stopped": made.stopped,
}
STATES = LIVE | ENDED


async def shown(folder: Path, state: str, size: tuple[int, int]) -> str:
    run = made.make(folder, "demo", STATES[state]())
    run.log.write_text("loading the data\nTraceback (most recent call last):\n\x1b[31mMemoryError\n")
    with trained(run, state in LIVE):
        async with console(run).run_test(size=size) as pilot:
            await settled(pilot, run)
            return text_of(pilot)


@pytest.mark.parametrize("state", STATES)
async def test_every_state_at_80x24(runs: Path, state: str) -> None:
    text = await shown(runs, state, (80, 24))
    check(f"run-{state}-80x24", text)
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("size", [(80, 50), (200, 24), (60, 16), (59, 16)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_running_run_at_odd_sizes(runs: Path, size: tuple[int, int]) -> None:
    check(f"run-running-{size[0]}x{size[1]}", await shown(runs, "running", size))


async def test_what_80x24_must_show_without_a_key(runs: Path) -> None:
    """Both curves with their legends, the class table from its first rows, the early-stopping line, progress with ETA."""
    text = await shown(runs, "running", (80, 24))
    for words in ("loss  train 0.785  val 0.811", "accuracy %", "airplane", "best 0.8107 (val.loss) at epoch 7",
                  "epoch", "60/100", "images/s", "851 MiB", "ETA", "● running", "quickstart", "cifar10"):  # fmt: skip
        assert words in text


async def test_a_run_that_watches_the_test_split_says_so(runs: Path) -> None:
    text = await shown(runs, "on_test", (80, 24))
    assert text.count("TEST") >= 5  # both plots, the table, the early-stopping panel's title and its sentence
