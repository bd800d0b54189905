"""A run in each of the states that every page has to show, whole: with its recipe, its worker's log and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from textual.pilot import Pilot

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFolder
from tests.tui import runs as made
from tests.tui.pictured import with_pictures
from tests.tui.screens import PATIENCE, settled, text_of
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.picture_panel import PicturePanel

SIZES = ((80, 24), (120, 40), (200, 60))
PAGES = ("overview", "plots", "classes", "pictures", "details")
"""In the order of their keys."""
LOG = "reading cifar10\n" + "".join(f"a line of the worker, number {number}\n" for number in range(60))
LAST_WORDS = "Traceback (most recent call last):\n\x1b[31mMemoryError\n"


def busy() -> Iterator[Event]:
    """Running, with settings that were changed live, a checkpoint that was asked for, and minutes of a GPU."""
    yield from made.running()
    yield e.SettingChanged(step=700, epoch=8, key="learning_rate", value=0.001, previous=0.005)
    yield e.SettingChanged(step=710, epoch=8, key="epochs", value=30, previous=20)
    yield e.CheckpointSaved(checkpoint="step-00000750", step=750, epoch=8, name="before [b]it[/b]", bytes=18 << 20)
    for number in range(100):
        yield e.DeviceSampled(
            cpu_percent=number % 50 * 2.0, memory_bytes=(500 + number) << 20, memory_total=24 << 30,
            gpu_percent=min(99.0, 2.0 * number), gpu_memory_bytes=39 << 30, gpu_memory_total=40 << 30, gpu_celsius=61.0,
            gpu_watts=312.4,
        )  # fmt: skip


def nan() -> Iterator[Event]:
    """A loss that was NaN once, in training and in a measurement, of a run that goes on."""
    yield from made.greeting()
    yield from made.epochs(2)
    yield from made.training(3, 40)
    yield e.StepDone(
        step=250, epoch=3, steps=10, images=1000, seconds=6.6, metrics={"train.loss": "nan", "train.accuracy": 0.1}
    )
    measured = made.validation(3)
    yield replace(measured, metrics={"val.loss": "inf", "val.accuracy": 0.1})
    yield from made.training(4, 60)


class Kind(NamedTuple):
    told: Callable[[], Iterator[Event]]
    live: bool


STATES: dict[str, Kind] = {
    "empty": Kind(made.empty, True),
    "warming_up": Kind(made.warming_up, True),
    "one_point": Kind(made.one_point, True),
    "running": Kind(busy, True),
    "paused": Kind(made.paused, True),
    "nan": Kind(nan, True),
    "early_stopped": Kind(made.early_stopped, False),
    "failed": Kind(made.diverged, False),
    "lost": Kind(made.running, False),
}


def make(runs: Path, state: str) -> RunFolder:
    run = with_pictures(runs, STATES[state].told())
    described = replace(run.read(), recipe=recipe.to_table(recipe.load("quickstart")))
    run.run_file.write_bytes(msgspec.json.encode(described))
    run.log.write_text(LOG + LAST_WORDS if state in ("failed", "lost") else LOG)
    return run


async def opened(pilot: Pilot[Any], run: RunFolder, page: str) -> RunScreen:
    """A page, by its key, once all that belongs to it is there."""
    await settled(pilot, run)
    await pilot.press(str(PAGES.index(page) + 1))
    return await steady(pilot, run)


async def steady(pilot: Pilot[Any], run: RunFolder) -> RunScreen:
    """The screen once it changes no more: pictures are read beside it, and the network is described by a process of its own."""
    before = ""
    for _ in range(PATIENCE):
        screen = await settled(pilot, run)
        busy = any(found.shelf.busy for found in screen.query(PicturePanel))
        text = text_of(pilot)
        if text == before and not busy and "asking torch" not in text and "reading the pictures" not in text:
            return screen
        before = text
    raise AssertionError(f"it goes on and on:\n{before}")
