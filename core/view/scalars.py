"""Every scalar of a journal, row by row, in memory that is bounded however long it is: for tables outside of this program.

What a resume or a rewind took back is left out, as on every screen. That is known only from what comes later in the journal,
so that it is read twice: once for the names and for what was taken back, once for the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from core.events import Event, StepDone, ValidationDone
from core.run.journal import JournalReader
from core.view.fold import unread
from core.view.holding import Cut, Holding, Measured, back_to, cut
from core.view.parts import numbers
from core.view.state import KEPT_METRICS

Tick = Callable[[int], None]


class Row(NamedTuple):
    """``seconds`` and ``images`` are those of the window, the pass over the split, or the epoch."""

    kind: str
    """``step``, ``validation``, ``test`` or ``epoch``."""
    step: int
    epoch: int
    time: float
    seconds: float
    images: int
    checkpoint: str
    """Set where other weights than those of the moment were measured."""
    metrics: dict[str, float]


class Survey(NamedTuple):
    """What is to be known before the first row."""

    names: tuple[str, ...]
    """Of the scalars, in the order in which they came, KEPT_METRICS at the most."""
    cuts: tuple[Cut, ...]
    """By the numbers of events before them."""


def survey(path: Path, tick: Tick = lambda done: None) -> Survey:
    names, cuts = dict[str, None](), list[Cut]()
    for place, event in enumerate(_events(path, tick)):
        if isinstance(event, Measured):
            for name in event.metrics:
                if len(names) < KEPT_METRICS:
                    names[name] = None
        elif (back := back_to(event)) is not None:
            cut(cuts, place, back)
    return Survey(tuple(names), tuple(cuts))


def rows(path: Path, known: Survey, tick: Tick = lambda done: None) -> Iterator[Row]:
    """What still holds. What was written since the survey is read as far as no further cut is in it."""
    holding = Holding(known.cuts)
    for place, event in enumerate(_events(path, tick)):
        if (back := back_to(event)) is not None:
            holding.take_back(place, back)
        elif isinstance(event, Measured) and holding.holds(place, event):
            yield _row(event)


def _events(path: Path, tick: Tick) -> Iterator[Event]:
    """Each once, in slices of the journal."""
    reader, seq = JournalReader(path), -1
    while not reader.at_end:
        for event in unread(seq, reader.read()):
            seq = max(seq, event.seq)
            yield event
        tick(reader.offset)


def _row(event: Measured) -> Row:
    if isinstance(event, StepDone):
        return Row("step", event.step, event.epoch, event.time, event.seconds, event.images, "", numbers(event.metrics))
    if isinstance(event, ValidationDone):
        images = sum(event.images)
        metrics = numbers(event.metrics)
        return Row(event.split, event.step, event.epoch, event.time, event.seconds, images, event.checkpoint, metrics)
    return Row("epoch", event.step, event.epoch, event.time, event.seconds, 0, "", numbers(event.metrics))
