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
from core.view.scalars import back_to
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


def cuts(path: Path) -> list[Back]:
    """Where the journal takes something back, and to which step; both rise, since one that a later one goes behind says
    nothing."""
    found = list[Back]()
    for event in journal.find(path, RunStarted, RunResumed, RunRewound):
        step = back_to(event) or 0
        while found and found[-1].step >= step:
            found.pop()
        found.append(Back(event.seq, step, event.time))
    return found


class Translator:
    """Takes events in their order."""

    def __init__(self, known: list[Back], classes: tuple[str, ...] = ()) -> None:
        """``known`` are the journal's cuts so far; ``classes`` those of a session that began before the first event."""
        self._cuts, self._classes = list(known), classes
        self._step, self._epoch = 0, 0
        self.seq = -1
        """Of the latest event."""
        self._names = set[str]()
        self._measured = dict[str, int]()
        """By split the step of the latest measurement: after a kill it is made again, and stays one point."""
        self._device_read = -math.inf

    def told(self, events: list[Event]) -> Iterator[Told]:
        for event in unread(self.seq, events):
            self.seq = max(self.seq, event.seq)
            while self._cuts and self._cuts[0].seq <= event.seq:
                self._cuts.pop(0)
            yield from self._one(event)

    def _one(self, event: Event) -> Iterator[Told]:
        if isinstance(event, SessionStart):
            self._classes = event.classes
        if (back := back_to(event)) is not None:
            self._step = max(back, 0)
            yield Back(event.seq, self._step, safe.moment(event.time))
        elif isinstance(event, StepDone | ValidationDone | EpochDone):
            if event.step <= (self._cuts[0].step if self._cuts else math.inf):
                self._step, self._epoch = max(event.step, 0), max(event.epoch, 0)
                yield from self._measurement(event)
        elif isinstance(event, DeviceSampled) and abs(event.time - self._device_read) >= DEVICE_EVERY:
            self._device_read = event.time
            yield from self._point(event, _of_the_device(event))

    def _measurement(self, event: StepDone | ValidationDone | EpochDone) -> Iterator[Told]:
        if isinstance(event, StepDone):
            yield from self._point(event, safe.values(event.metrics))
        elif isinstance(event, EpochDone):
            yield from self._point(event, _of_the_epoch(event))
        elif event.checkpoint or self._measured.get(event.split) != event.step:
            self._measured[event.split] = event.step
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
