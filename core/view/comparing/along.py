"""Along what runs are compared: optimizer steps, epochs, or the time that was trained. Pauses and the time between two
sessions are not in that; what a rewind took back is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

from msgspec.structs import replace

from core.view.comparing.scalars import scalars
from core.view.comparing.subject import Subject
from core.view.series import Series
from core.view.state import State

By: TypeAlias = Literal["step", "epoch", "time"]
BYS: tuple[By, ...] = get_args(By)


class Level(NamedTuple):
    """Runs as they were at the same place, the last that all of those have reached which have begun."""

    by: By
    place: float
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    """Each scalar with its latest value until then, by run."""


class Knots(NamedTuple):
    """Where on an axis a run's steps lie: straight on from one to the next."""

    steps: Sequence[float]
    places: Sequence[float]

    def place(self, step: float) -> float:
        after = bisect_left(self.steps, step)
        if after == 0 or after == len(self.steps):
            return self.places[min(after, len(self.steps) - 1)]
        left, right = self.steps[after - 1], self.steps[after]
        share = (step - left) / (right - left)
        return self.places[after - 1] + (self.places[after] - self.places[after - 1]) * share


def knots(state: State, by: By) -> Knots | None:
    """In steps, epochs or seconds; None where they are not known."""
    if by == "step":
        end = max(_last_step(state), 1)
        return Knots((0, end), (0.0, float(end)))
    if by == "epoch":
        end = max(_last_step(state), 1)
        return Knots((0, end), (0.0, end / state.steps_per_epoch)) if state.steps_per_epoch > 0 else None
    found = [(item.step, item.high) for item in state.clock.bins if item.step > 0]
    return Knots([0, *(step for step, _ in found)], [0.0, *(seconds for _, seconds in found)]) if found else None


def placed(series: Series, state: State, by: By, parts: float = 1.0) -> Series:
    """The whole of a scalar with its steps turned into places, ``parts`` of them a unit, to the nearest whole one."""
    if by == "step" and parts == 1.0:
        return Series(series.width, series.bins, diverged_at=series.diverged_at)
    along = knots(state, by)
    if along is None:
        return Series()
    bins = tuple(replace(item, step=round(along.place(item.step) * parts)) for item in series.bins)
    at = series.diverged_at
    return Series(1, bins, diverged_at=None if at is None else round(along.place(at) * parts))


def reach(state: State, by: By) -> float:
    """How far a run has come; 0 of one that has not begun."""
    along, last = knots(state, by), _last_step(state)
    return along.place(last) if along and last > 0 else 0.0


def reaches(subjects: Sequence[Subject], by: By) -> list[float]:
    return [reach(item.state, by) for item in subjects]


def level(subjects: Sequence[Subject], by: By) -> Level | None:
    """None while fewer than two have begun."""
    begun = [place for place in reaches(subjects, by) if place > 0]
    if len(begun) < 2:
        return None
    place, states = min(begun), [item.state for item in subjects]
    along = [knots(state, by) for state in states]
    rows = (
        (name, tuple(_until(state.series.get(name), found, place) for state, found in zip(states, along, strict=True)))
        for name in scalars(states)
    )
    return Level(by, place, tuple((name, values) for name, values in rows if any(value is not None for value in values)))


def _until(series: Series | None, along: Knots | None, place: float) -> float | None:
    """The latest value at a place or before it: of what is measured once an epoch, the measurement before."""
    if series is None or along is None:
        return None
    count = bisect_right(series.bins, place * (1 + 1e-9), key=lambda item: along.place(item.step))
    return series.bins[count - 1].mean if count else None


def _last_step(state: State) -> int:
    return max(state.step, *(item.bins[-1].step for item in state.series.values() if item.bins), 0)
