"""What the run does, in words, from the first moment on; and numbers that stay in their columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.geometry import Size

from core import events as e
from core.events import Event
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.view import readings
from core.view.fold import fold
from core.view.state import State
from tests.core.strategies import numbered
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, text_of
from tui_trainer.panels.progress import ProgressPanel
from tui_trainer.theme import DARK, palette
from tui_trainer.widgets.run_header import _numbers

COLOURS = palette(DARK.to_color_system().generate())

BEGINNING: list[tuple[Event, str]] = [
    (e.MessageLogged(text="hello"), "getting ready"),
    (e.PhaseStarted(phase="start", label="loading torch"), "loading torch"),
    (e.PhaseEnded(phase="start", seconds=2.0), "getting ready"),
    (e.PhaseStarted(phase="download", total=200, unit="bytes"), "fetching data   0 %"),
    (e.PhaseProgressed(phase="download", done=170), "fetching data  85 %"),
    (e.PhaseEnded(phase="download"), "getting ready"),
    (e.PhaseStarted(phase="prepare", total=50, unit="images"), "reading data   0 %"),
    (e.PhaseProgressed(phase="prepare", done=20), "reading data  40 %"),
    (e.PhaseEnded(phase="prepare"), "getting ready"),
    (e.PhaseStarted(phase="build"), "building the network"),
    (e.PhaseEnded(phase="build"), "getting ready"),
    (made.started(), "first batch"),
    (e.PhaseStarted(phase="compile", label="torch.compile"), "compiling"),
    (e.PhaseEnded(phase="compile"), "first batch"),
    (e.EpochStarted(epoch=1), "first batch"),
    (e.StepDone(step=1, epoch=1, images=100, seconds=0.3, metrics={"train.loss": 2.0}), ""),
    (e.PhaseStarted(phase="validate", label="validation", total=100, unit="images"), "validating   0 %"),
    (e.PhaseEnded(phase="validate"), ""),
    (e.PhaseStarted(phase="odd", label="an odd one"), "an odd one"),
    (e.RunStopped(step=1), ""),
]


def test_at_each_moment_it_says_what_is_done() -> None:
    state, events = State(), numbered([event for event, _ in BEGINNING])
    assert readings.doing(state) == "starting"
    for event, (_, words) in zip(events, BEGINNING, strict=True):
        state = fold(state, [event])
        assert readings.doing(state) == words, event


async def test_it_stands_on_every_page(runs: Path) -> None:
    run = made.make(runs, "demo", made.warming_up())
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            assert "reading data  40 %" in text_of(pilot).splitlines()[0]
            await pilot.press("5")
            await seen(pilot, "reading data  40 %")
            for event in (e.PhaseEnded(phase="prepare"), made.started()):
                journal.append(event)
            await seen(pilot, "first batch")


def test_an_estimate_is_there_from_the_second_window_on() -> None:
    """Of training from the first; that of validation comes with the first one that was measured."""
    told = [made.started(epochs=2), e.EpochStarted(epoch=1)]
    told += [e.StepDone(step=step, epoch=1, steps=10, images=1000, seconds=5.0) for step in (10, 20)]
    state = fold(State(), numbered(told))
    assert readings.eta(state, state.last_time) == 90.0


def moments() -> Iterator[State]:
    """A run of 1,200 steps, 12 an epoch, at steps with one digit and with more, fast and slow."""
    for step in (1, 9, 10, 99, 100, 999, 1000, 1199):
        for seconds in (0.002, 0.5, 0.99, 1.5, 60.0):
            done = e.StepDone(step=step, epoch=(step - 1) // 12 + 1, images=100, seconds=seconds)
            begun = made.started(epochs=100)
            fields = {name: getattr(begun, name) for name in begun.__struct_fields__} | {"steps_per_epoch": 12}
            yield fold(State(), numbered([e.RunStarted(**fields), done]))


@pytest.mark.parametrize("width", [30, 37, 60])
def test_the_numbers_of_the_progress_panel_stay_in_their_columns(width: int) -> None:
    panel, places = ProgressPanel(RunFolder(Path("demo"))), set[tuple[int, ...]]()
    for state in moments():
        lines = panel.draw(panel.reads(state, state.last_time), Size(width, 7), COLOURS)
        bars = [line.plain for line in lines[:3]]
        assert all(len(bar) == width for bar in bars)
        speed = lines[3].plain
        places.add((*(len(bar.rstrip("0123456789 ,/%hminsd.")) for bar in bars), speed.index("images"), speed.index("/step")))
    assert len(places) == 1


def test_the_numbers_of_the_header_stay_in_their_columns() -> None:
    found = {tuple(map(len, _numbers(state, state.last_time))) for state in moments()}
    assert len(found) == 1
