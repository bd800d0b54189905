"""What the selected run says, in a few labelled lines under the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from core.events import PREFIX
from core.queue.entries import Entry
from core.queue.folder import QueueFolder, command
from core.run.folder import RunFolder, reference, whereabouts
from core.run.program import way_on
from core.view import readings
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.farewell import of_others
from tui_trainer.listing import ListedRun
from tui_trainer.possible import can_resume
from tui_trainer.theme import Palette
from tui_trainer.waiting import Queued
from tui_trainer.widgets.run_columns import tag_words
from tui_trainer.widgets.wrapping import Wrapped

LATEST_EPOCHS = 30
Line: TypeAlias = tuple[str, str, str]
"""Label, text, colour."""


def run_detail(listed: ListedRun, now: float, colours: Palette, roomy: bool, key: str = "r") -> Table:
    """Labels and texts; ``key`` resumes the run. Without room only the sentence on early stopping is given in full, the others
    in one line."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=9, no_wrap=True, style=colours.muted)
    table.add_column(overflow="fold", ratio=1)
    for label, text, colour in _lines(listed, now, colours, key):
        whole = roomy or label == "stopping"
        words = printable(text)
        table.add_row(label, Wrapped(words, colour) if whole else Text(words, colour, no_wrap=True, overflow="ellipsis"))
        if roomy:
            table.add_row()
    return table


def run_title(listed: ListedRun, colours: Palette) -> Text:
    return Text.assemble(printable(listed.run.name), (tag_words(listed.tags), colours.held_out))


def run_footnote(listed: ListedRun, now: float) -> Text:
    """How large it is and since when it is there."""
    others = listed.state is not None and (listed.state.origin or listed.state.address)
    size = f"{readings.format_bytes(listed.size)} on disk" if listed.size is not None and not others else ""
    begun = listed.state.started if listed.state else 0.0
    if listed.queued:
        return Text(f"queued {readings.format_duration(max(now - listed.queued.entry.added, 0.0))} ago")
    since = f"begun {readings.format_duration(max(now - begun, 0.0))} ago" if begun else ""
    return Text(", ".join(filter(None, (since, size))))


def latest_epochs(listed: ListedRun, colours: Palette) -> RenderableType:
    """The finished epochs, the latest first."""
    state = listed.state
    if listed.queued:
        return Text("")
    if state is None or not state.rows:
        return Text("no finished epoch yet", style=colours.faint)
    held_out = PREFIX[state.split]
    names = ("train.loss", f"{held_out}.loss", "train.accuracy", f"{held_out}.accuracy")
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style=colours.muted)
    table.add_column("epoch", width=8)
    for name in names:
        table.add_column(_heading(name), justify="right")
    for row in reversed(state.rows[-LATEST_EPOCHS:]):
        best = row.epoch == state.stopping.best_epoch
        cells = [Text(readings.format_metric(name, row.metrics.get(name))) for name in names]
        table.add_row(Text(f"{row.epoch}{' best' if best else ''}"), *cells, style=colours.good if best else colours.text)
    return table


def _heading(metric: str) -> str:
    split, _, quantity = metric.partition(".")
    return f"{'TEST' if split == 'test' else split} {'acc.' if quantity == 'accuracy' else quantity}"


def _lines(listed: ListedRun, now: float, colours: Palette, key: str) -> Iterator[Line]:
    state = listed.state
    if listed.queued:
        yield from _of_queued(listed.queued, colours)
        return
    if state is None:
        yield "state", "reading its journal ...", colours.faint
        return
    bad = state.status in ("failed", "lost")
    yield "state", _standing(state, now, key), colours.bad if bad else colours.text
    if state.model or state.program:
        yield "training", _training(state), colours.text
    yield "stopping", readings.stopping_sentence(state), colours.warn if state.split == "test" else colours.text
    if state.weights:
        yield "weights", whereabouts(listed.run, state.weights), colours.text
    yield "command", _command(listed.run, state), colours.train


def _of_queued(queued: Queued, colours: Palette) -> Iterator[Line]:
    entry = queued.entry
    place = f"{queued.position} of {queued.of} that wait" if queued.of > 1 else "the next"
    device = entry.wanted_device or "a device"
    yield "queue", f"{place}; begins when {device} is free", colours.text
    if not queued.conducted:
        yield "state", f"no process begins it: {command(QueueFolder(queued.runs), 'run')}", colours.warn
    yield "recipe", f"{entry.recipe_name}{_from_file(entry)}, seed {entry.seed}", colours.text
    yield "changes", " ".join(entry.changes) or "none", colours.text
    yield "command", command(QueueFolder(queued.runs), f"cancel {entry.name}"), colours.train


def _from_file(entry: Entry) -> str:
    return "" if entry.asked in ("", entry.recipe_name) else f", from {entry.asked}"


def _standing(state: State, now: float, key: str) -> str:
    if state.status == "lost":
        how = "" if state.program or state.address else f"; {key} goes on from the last checkpoint"
        return f"lost: its trainer ended without a word{how}"
    if state.ended:
        said = state.ending or state.status
        return said if said.startswith(state.status) else f"{state.status}: {said}"
    if words := readings.origin(state, now):
        return f"{state.status}: {words}"
    if words := readings.trouble(state, now):
        return f"{state.status}: {words}"
    if state.phase and not state.hindrance:
        return state.phase.label or state.phase.name
    left = readings.eta(state, now)
    status = f"{state.status}: {state.hindrance}" if state.hindrance else state.status
    position = f"{status}, {readings.where(state)}" if state.program else status
    position = f"{status}, epoch {state.epoch} of {state.epochs}" if state.epochs else position
    return position if left is None else f"{position}, about {readings.format_duration(left)} left"


def _training(state: State) -> str:
    size = f"{state.model}, {readings.format_count(state.parameters)} parameters" if state.parameters else state.model
    place = f"{state.device} {state.precision}".strip()
    size = ", ".join(filter(None, (f"by {state.program}", size))) if state.program else f"{size}, on {state.data}"
    return " · ".join(filter(None, (size, place, f"{readings.format_duration(state.trained_seconds)} trained")))


def _command(run: RunFolder, state: State) -> str:
    if state.program and state.ended:
        return way_on(run.name, state.program)
    if state.origin:
        return of_others(state)
    verb = "resume" if can_resume(state) else "evaluate" if state.ended else "attach"
    return f"tui-trainer {verb} {reference(run)}"
