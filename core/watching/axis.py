"""Which step a row of a table belongs to, and when it was written: by the columns that are usual for that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

STEP = ("step", "_step", "global_step", "train/global_step", "trainer/global_step", "steps", "global_iter", "iteration",
        "iterations", "iter", "iters", "n_iter", "update", "updates")  # fmt: skip
EPOCH = ("epoch", "_epoch", "epochs", "train/epoch")
TIME = ("_timestamp", "timestamp", "wall_time", "walltime", "time", "datetime", "date", "created_at")
ELAPSED = ("_runtime", "elapsed", "elapsed_time", "runtime", "total_time", "time")
"""Seconds since the beginning."""
MOST_KINDS = 1000
"""Kinds of rows whose columns are remembered."""
FIRST_DATE, LAST_DATE = 1e9, 1e11
"""What lies between is a time in Unix seconds; a thousand times as much is one in milliseconds."""


class Place(NamedTuple):
    step: float
    epoch: float | None
    time: float
    """Unix seconds; 0 where the row does not say."""
    elapsed: float | None


class Columns(NamedTuple):
    """The names that a row has of what tells of its place, the usual ones first."""

    step: tuple[str, ...]
    epoch: tuple[str, ...]
    time: tuple[str, ...]
    elapsed: tuple[str, ...]

    @classmethod
    def among(cls, names: Sequence[str]) -> Columns:
        known = {name.strip().casefold(): name for name in names}
        kinds = ([known[name] for name in wanted if name in known] for wanted in (STEP, EPOCH, TIME, ELAPSED))
        return cls(*map(tuple, kinds))


class Axis:
    """Told every row in turn. Where its column of steps or of epochs turns out not to tell rows apart, ``by_row`` is set and
    all rows have to come again: they are numbered then."""

    def __init__(self) -> None:
        self.by_row = False
        self._columns: dict[tuple[str, ...], Columns] = {}
        self.restart()

    def restart(self) -> None:
        self._rows = 0
        self._by: Literal["step", "epoch", "row"] | None = None
        self._step, self._epoch = 0.0, -math.inf
        self._told = set[str]()
        """Names of what has been told of this step."""

    def place(self, numbers: dict[str, float], texts: Mapping[str, str]) -> Place | None:
        """Takes what tells of the place out of ``numbers``; None when all rows have to come again."""
        columns = self._columns_of(tuple(numbers))
        step, epoch = _taken(numbers, columns.step), _taken(numbers, columns.epoch)
        time, elapsed = _time(numbers, columns)
        if not self.by_row and self._ambiguous(step, epoch, numbers):
            self.by_row = True
            return None
        place = Place(self._counted(step, epoch), epoch, time or _date(texts), elapsed)
        self._told = {*(self._told if place.step == self._step else ()), *numbers}
        self._rows, self._step = self._rows + 1, place.step
        self._epoch = self._epoch if epoch is None else epoch
        return place

    def _columns_of(self, names: tuple[str, ...]) -> Columns:
        """Looked up once for all rows that have the same ones."""
        if names not in self._columns:
            if len(self._columns) >= MOST_KINDS:
                self._columns.clear()
            self._columns[names] = Columns.among(names)
        return self._columns[names]

    def _ambiguous(self, step: float | None, epoch: float | None, numbers: Mapping[str, float]) -> bool:
        """Steps begin anew with an epoch, or the same is told of an epoch again, which is all that there is of a place."""
        if step is not None:
            return epoch is not None and step < self._step and epoch > self._epoch
        return self._by == "epoch" and epoch == self._epoch and not self._told.isdisjoint(numbers)

    def _counted(self, step: float | None, epoch: float | None) -> float:
        """A row that says less than those before belongs to the same step as the last."""
        if self.by_row:
            return float(self._rows)
        self._by = "step" if step is not None else self._by or ("row" if epoch is None else "epoch")
        told = step if self._by == "step" else epoch if self._by == "epoch" else float(self._rows)
        return self._step if told is None else told


def _taken(numbers: dict[str, float], columns: Sequence[str]) -> float | None:
    """The first of these columns that can be used; it is no scalar of the run."""
    for name in columns:
        if math.isfinite(numbers[name]):
            return numbers.pop(name)
    return None


def _time(numbers: dict[str, float], columns: Columns) -> tuple[float, float | None]:
    """When a row was written, and how long after the beginning, as far as it says."""
    time, elapsed = 0.0, None
    for name in columns.time:
        for scale in (1.0, 1e-3):
            if not time and FIRST_DATE < numbers.get(name, 0.0) * scale < LAST_DATE:
                time = numbers.pop(name) * scale
    for name in columns.elapsed:
        if elapsed is None and 0 <= numbers.get(name, -1.0) < FIRST_DATE:
            elapsed = numbers.pop(name)
    return time, elapsed


def _date(texts: Mapping[str, str]) -> float:
    """As a text: ``2026-01-31T12:00:00``, in the zone of this machine unless it names another."""
    for name, text in texts.items():
        if name.strip().casefold() in TIME:
            try:
                return datetime.fromisoformat(text).timestamp()
            except (ValueError, OverflowError, OSError):
                continue
    return 0.0


def number(value: Any) -> float | None:
    """A cell or a value as a number; None where it is none, and for a truth value."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
