"""Runs to compare, of every kind that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from textual.pilot import Pilot

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFile, RunFolder
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, text_of
from tui_trainer import theme
from tui_trainer.app import TrainerApp
from tui_trainer.screens.compare import CompareScreen
from tui_trainer.widgets.compared_plot import ComparedPlot

PAIR = ("baseline", "lower-learning-rate-and-a-long-name")
SIZES = ((80, 24), (120, 40), (200, 60))


def finished() -> Iterator[Event]:
    """With its test accuracy also by test-time augmentation."""
    yield from made.greeting()
    yield from made.epochs(12)
    test = made.validation(9, "test", checkpoint="step-00000900")
    told: e.Metrics = {**test.metrics, "test.tta_accuracy": 0.8125}
    yield replace(test, metrics=told)
    yield e.RunFinished(step=1200, epoch=12, metrics=told, weights="checkpoints/step-00000900/model.safetensors")


def lower(events: Iterator[Event], factor: float = 0.9) -> Iterator[Event]:
    """The same with other losses, at another pace."""
    for event in events:
        if isinstance(event, e.StepDone | e.ValidationDone):
            told = {name: _times(value, factor if name.endswith("loss") else 1.0) for name, value in event.metrics.items()}
            event = replace(event, metrics=told, seconds=event.seconds * factor)
        yield event


def _times(value: e.Number, factor: float) -> e.Number:
    return value if isinstance(value, str) else value * factor


def unwatched() -> Iterator[Event]:
    """Measures nothing before its end, where it has not come yet."""
    yield made.started(monitor="", epochs=6)
    for epoch in range(1, 5):
        yield from made.training(epoch)


def animals() -> Iterator[Event]:
    """Of other classes, two of them in common; half the parameters."""
    yield replace(made.started(classes=("cat", "dog", "[b]eel[/b]")), parameters=2_000_000)
    yield from made.training(1)
    yield e.ValidationDone(
        epoch=1, step=100, metrics={"val.loss": 1.9, "val.accuracy": 0.5}, correct=(30, 25, 20), images=(50, 50, 50)
    )


KINDS: dict[str, tuple[Callable[[], Iterator[Event]], tuple[str, ...]]] = {
    "baseline": (finished, ()),
    "lower-learning-rate-and-a-long-name": (lambda: lower(made.running()), ("optimizer.lr=0.0005", "seed=1")),
    "early": (made.early_stopped, ("early_stopping.patience=5",)),
    "diverged": (made.diverged, ("optimizer.lr=0.5",)),
    "unwatched": (unwatched, ("early_stopping.enabled=false", 'evaluation.weights="last"', "data.validation=0.0")),
    "animals": (animals, ('data.source="folder"',)),
    "first-steps": (made.one_point, ()),
    "empty": (made.empty, ()),
}
"""What each has told, and in what its recipe is not quickstart."""


def make(runs: Path, names: Sequence[str] = tuple(KINDS)) -> list[RunFolder]:
    return [_make(runs, name, *KINDS[name]) for name in names]


def _make(runs: Path, name: str, told: Callable[[], Iterator[Event]], changes: Sequence[str]) -> RunFolder:
    run = made.make(runs, name, told())
    table = recipe.to_table(recipe.load("quickstart", changes))
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name=name, created=made.NOW - 3600, recipe=table)))
    return run


def console(runs: Sequence[RunFolder]) -> TrainerApp:
    """The console on these runs, with the clock held at NOW."""
    return TrainerApp(runs[0].path.parent, compare=runs, clock=lambda: made.NOW)


async def settled(pilot: Pilot[Any]) -> CompareScreen:
    """The screen once it shows all that the journals have, and is still."""
    screen, before = pilot.app.screen, ""
    assert isinstance(screen, CompareScreen)
    for _ in range(PATIENCE):
        await pilot.pause(0.08)
        told = [len(run.journal.read_bytes().splitlines()) if run.journal.exists() else 0 for run in screen.runs]
        known = [item.state.seq + 1 for item in screen.subjects]
        text = text_of(pilot)
        shown = all(panel._reads == panel.reads(screen.state, made.NOW) for panel in screen._panels())
        fits = screen._compositor.size == screen.size == pilot.app.size
        if known == told and screen._followed.looked and shown and fits and text == before:
            return screen
        before = text
    raise AssertionError(f"the screen did not settle:\n{before}")


def plot_of(pilot: Pilot[Any]) -> ComparedPlot:
    return pilot.app.screen.query_one(ComparedPlot)


def below(pilot: Pilot[Any]) -> str:
    plot = plot_of(pilot)
    assert plot._reads
    words = plot.subtitle(plot._reads, theme.palette(plot.app.theme_variables))
    return words.plain if words else ""


async def pressed(pilot: Pilot[Any], *keys: str) -> str:
    """What is on the screen then."""
    await pilot.press(*keys)
    await settled(pilot)
    return text_of(pilot)
