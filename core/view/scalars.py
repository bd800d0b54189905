"""Every scalar of a journal, row by row, in memory that is bounded however long it is: for tables outside of this program.

What a resume or a rewind took back is left out, as on every screen. That is known only from what comes later in the journal,
so that it is read twice: once for the names and for what was taken back, once for the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from core.events import EpochDone, Event, RunResumed, RunRewound, RunStarted, StepDone, ValidationDone
from core.run.journal import JournalReader
from core.view.fold import unread
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
    cuts: tuple[tuple[int, int], ...]
    """Places, as numbers of events before them, and the step back to which everything was taken there. Both rise: a cut that a
    later one goes behind says nothing."""


def survey(path: Path, tick: Tick = lambda done: None) -> Survey:
    names, cuts = dict[str, None](), list[tuple[int, int]]()
    for place, event in enumerate(_events(path, tick)):
        if (row := _row(event)) is not None:
            for name in row.metrics:
                if len(names) < KEPT_METRICS:
                    names[name] = None
        elif (back := back_to(event)) is not None:
            while cuts and cuts[-1][1] >= back:  # it takes back all that those did
                cuts.pop()
            cuts.append((place, back))
    return Survey(tuple(names), tuple(cuts))


def rows(path: Path, known: Survey, tick: Tick = lambda done: None) -> Iterator[Row]:
    """What still holds. What was written since the survey is read as far as no further cut is in it."""
    cuts = list(known.cuts)
    for place, event in enumerate(_events(path, tick)):
        while cuts and cuts[0][0] <= place:
            cuts.pop(0)
        row = _row(event)
        if row is not None and row.step <= (cuts[0][1] if cuts else math.inf):
            yield row


def _events(path: Path, tick: Tick) -> Iterator[Event]:
    """Each once, in slices of the journal."""
    reader, seq = JournalReader(path), -1
    while not reader.at_end:
        for event in unread(seq, reader.read()):
            seq = max(seq, event.seq)
            yield event
        tick(reader.offset)


def back_to(event: Event) -> int | None:
    """The step that everything later is taken back to."""
    if isinstance(event, (RunResumed, RunRewound)):
        return event.step
    return 0 if isinstance(event, RunStarted) else None


def _row(event: Event) -> Row | None:
    if isinstance(event, StepDone):
        return Row("step", event.step, event.epoch, event.time, event.seconds, event.images, "", numbers(event.metrics))
    if isinstance(event, ValidationDone):
        images = sum(event.images)
        metrics = numbers(event.metrics)
        return Row(event.split, event.step, event.epoch, event.time, event.seconds, images, event.checkpoint, metrics)
    if isinstance(event, EpochDone):
        return Row("epoch", event.step, event.epoch, event.time, event.seconds, 0, "", numbers(event.metrics))
    return None
