"""Two measurements of a run side by side: which ones, and what they came to."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from core.run.folder import RunFolder
from core.view.measurement_index import MeasurementIndex, Place
from core.view.state import ClassHistory, Measurement, State

CACHED = 16
"""Measurements read from the journal that are kept."""


class Compared(NamedTuple):
    """``earlier`` and ``later`` are None while they are read; without a comparison there is only the latest, ``later``."""

    later: Measurement | None
    earlier: Measurement | None = None
    on: bool = False
    later_epoch: int = 0
    earlier_epoch: int = 0
    note: str = ""


class Comparison:
    """What a person chose to compare. ``look`` is quick; ``work`` reads the journal and is for a thread."""

    def __init__(self, run: RunFolder) -> None:
        self.on = self.working = False
        self._chosen: dict[str, int] = {}
        """Epochs by ``earlier`` and ``later``; one that is not chosen follows the run."""
        self._past = MeasurementIndex(run)
        self._known: OrderedDict[tuple[str, int, int], Measurement | None] = OrderedDict()
        self._wanted: tuple[str, tuple[str, ...], frozenset[int]] = ("", (), frozenset())
        self._epochs: tuple[ClassHistory, tuple[Place, ...], list[int]] = (ClassHistory(), (), [])
        self._taken_back = (0, 0)

    @property
    def waits(self) -> bool:
        """Whether there is something to read that nobody reads yet."""
        return self.on and bool(self._wanted[2]) and not self.working

    def look(self, state: State) -> Compared:
        latest = latest_measurement(state)
        if not self.on or latest is None:
            return Compared(latest, later_epoch=latest.epoch if latest else 0)
        self._forget(state)
        epochs = self.epochs(state)
        if len(epochs) < 2:
            return Compared(latest, later_epoch=latest.epoch, note="nothing to compare with yet: one epoch was measured")
        first, second = self._epochs_shown(state, epochs)
        earlier, later = self._found(state, first), self._found(state, second)
        missing = {epoch for epoch, found in ((first, earlier), (second, later)) if found is None}
        unreadable = {epoch for epoch in missing if self._unreadable(state, epoch)}
        self._wanted = state.split, state.classes, frozenset(missing - unreadable)
        note = f"epoch {min(missing)} is read from the journal ..." if missing else ""
        note = f"epoch {min(unreadable)} cannot be read from the journal" if unreadable else note
        return Compared(later, earlier, True, second, first, note)

    def work(self) -> None:
        """Read what ``look`` could not find."""
        try:
            split, classes, epochs = self._wanted
            self._past.extend()
            for epoch in epochs:
                place = self._place(split, epoch)
                self._keep((split, epoch, place.step if place else -1), self._past.read(place, classes) if place else None)
        finally:
            self.working = False

    def epochs(self, state: State) -> list[int]:
        """Those that were measured, as far as they are known."""
        history, places = state.class_history.get(state.split, ClassHistory()), self._past.places
        if self._epochs[0] is not history or self._epochs[1] is not places:
            last = max((point.epoch for point in history.points), default=0)
            found = {place.epoch for place in places if place.split == state.split and place.epoch <= last}
            self._epochs = history, places, sorted(found | {point.epoch for point in history.points})
        return self._epochs[2]

    def toggle(self) -> None:
        self.on = not self.on
        self._chosen.clear()

    def choose(self, state: State, which: str, step: int) -> None:
        """Another epoch for the ``earlier`` or the ``later`` side, so many measurements on."""
        if not self.on:
            self.toggle()
        epochs = self.epochs(state)
        if len(epochs) < 2:
            return
        shown = dict(zip(("earlier", "later"), self._epochs_shown(state, epochs), strict=True))
        place = epochs.index(shown[which]) + step
        self._chosen[which] = epochs[min(max(place, 0), len(epochs) - 1)]

    def _forget(self, state: State) -> None:
        """What was read before a resume or a rewind, since the same epoch may come to something else."""
        taken_back = state.sessions, sum(mark.kind == "rewind" for mark in state.marks)
        if taken_back != self._taken_back:
            self._taken_back = taken_back
            self._known.clear()

    def _epochs_shown(self, state: State, epochs: list[int]) -> tuple[int, int]:
        later = _nearest(epochs, self._chosen.get("later", epochs[-1]))
        best = state.stopping.best_epoch
        default = best if best in epochs and best != later else epochs[max(epochs.index(later) - 1, 0)]
        return _nearest(epochs, self._chosen.get("earlier", default)), later

    def _found(self, state: State, epoch: int) -> Measurement | None:
        for item in (*state.measurements.values(), *reversed(state.earlier_measurements)):
            if (item.split, item.epoch, item.checkpoint) == (state.split, epoch, "") and item.classes:
                return item
        return next((item for key, item in self._known.items() if key[:2] == (state.split, epoch) and item), None)

    def _unreadable(self, state: State, epoch: int) -> bool:
        return any(key[:2] == (state.split, epoch) and item is None for key, item in self._known.items())

    def _place(self, split: str, epoch: int) -> Place | None:
        return next((item for item in reversed(self._past.places) if (item.split, item.epoch) == (split, epoch)), None)

    def _keep(self, key: tuple[str, int, int], found: Measurement | None) -> None:
        self._known[key] = found
        while len(self._known) > CACHED:
            self._known.popitem(last=False)


def latest_measurement(state: State) -> Measurement | None:
    """Of the split that is shown first, with the weights of its moment; of an unwatched run the one at its end."""
    if state.unwatched:
        return state.measurements.get("test")
    own = [item for item in (*state.earlier_measurements, *state.measurements.values()) if item.split == state.split]
    return next((item for item in reversed(own) if not item.checkpoint and item.classes), own[-1] if own else None)


def _nearest(epochs: list[int], epoch: int) -> int:
    """The last one that is not after it."""
    return max((item for item in epochs if item <= epoch), default=epochs[0])
