"""From the journal's events to what a tracker is told.

What a resume or a rewind took back is left out where the journal has it already; where it comes while the run is followed, the
tracker is told that it has been taken back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from core.events import PREFIX, DeviceSampled, EpochDone, Event, RunResumed, RunRewound, RunStarted, StepDone, ValidationDone
from core.events.sessions import SessionStart
from core.run import journal
from core.view.fold import unread
from core.view.holding import Cut, Holding, Measured, back_to, cut
from core.view.state import KEPT_METRICS
from tui_trainer.forwarding import safe
from tui_trainer.trackers._base import Confusion, Point

DEVICE_EVERY = 15.0
"""Seconds between two readings of the device that are told."""
DEVICE = ("cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes", "gpu_celsius", "gpu_watts")
MOST_CLASSES = 64


class Back(NamedTuple):
    """What is later than this step does not hold any more."""

    seq: int
    step: int
    time: float


Told: TypeAlias = Point | Confusion | Back


def cuts(path: Path) -> list[Cut]:
    """Where the journal takes something back, by the numbers of its events."""
    found = list[Cut]()
    for event in journal.find(path, RunStarted, RunResumed, RunRewound):
        cut(found, event.seq, back_to(event) or 0)
    return found


class Translator:
    """Takes events in their order."""

    def __init__(self, known: list[Cut], classes: tuple[str, ...] = ()) -> None:
        """``known`` are the journal's cuts so far; ``classes`` those of a session that began before the first event."""
        self._holding, self._classes = Holding(known), classes
        self._step, self._epoch = 0, 0
        self.seq = -1
        """Of the latest event."""
        self._names = set[str]()
        self._device_read = -math.inf

    def told(self, events: list[Event]) -> Iterator[Told]:
        for event in unread(self.seq, events):
            self.seq = max(self.seq, event.seq)
            yield from self._one(event)

    def _one(self, event: Event) -> Iterator[Told]:
        if isinstance(event, SessionStart):
            self._classes = event.classes
        if (back := back_to(event)) is not None:
            self._holding.take_back(event.seq, back)
            self._step = max(back, 0)
            yield Back(event.seq, self._step, safe.moment(event.time))
        elif isinstance(event, Measured):
            if self._holding.holds(event.seq, event):
                self._step, self._epoch = max(event.step, 0), max(event.epoch, 0)
                yield from self._measurement(event)
        elif isinstance(event, DeviceSampled) and abs(event.time - self._device_read) >= DEVICE_EVERY:
            self._device_read = event.time
            yield from self._point(event, _of_the_device(event))

    def _measurement(self, event: Measured) -> Iterator[Told]:
        if isinstance(event, StepDone):
            yield from self._point(event, safe.values(event.metrics))
        elif isinstance(event, EpochDone):
            yield from self._point(event, _of_the_epoch(event))
        else:
            yield from self._point(event, safe.values(event.metrics))
            yield from self._confusion(event)

    def _point(self, event: Event, values: dict[str, float]) -> Iterator[Point]:
        kept = {name: value for name, value in values.items() if self._known(name)}
        if kept:
            yield Point(event.seq, self._step, self._epoch, safe.moment(event.time), kept)

    def _known(self, name: str) -> bool:
        """New names only while there is room."""
        if len(self._names) < KEPT_METRICS:
            self._names.add(name)
        return name in self._names

    def _confusion(self, event: ValidationDone) -> Iterator[Confusion]:
        size, names = len(event.confusion), event.classes or self._classes
        if not 0 < size <= MOST_CLASSES or any(len(row) != size for row in event.confusion):
            return
        classes = tuple(safe.short(names[place]) if place < len(names) else str(place) for place in range(size))
        counts = tuple(tuple(max(count, 0) for count in row) for row in event.confusion)
        yield Confusion(
            event.seq, PREFIX[event.split], self._step, self._epoch, safe.moment(event.time), classes, counts
        )  # fmt: skip


def _of_the_epoch(event: EpochDone) -> dict[str, float]:
    """Its means over training: the measurements that it repeats have been told."""
    own = {name.replace(".", "_"): value for name, value in event.metrics.items() if name.startswith("train.")}
    return {f"epoch/{name}": value for name, value in safe.values(own).items()}


def _of_the_device(event: DeviceSampled) -> dict[str, float]:
    read: Iterable[tuple[str, float | None]] = ((name, getattr(event, name)) for name in DEVICE)
    return {f"system/{name}": float(value) for name, value in read if value is not None}
