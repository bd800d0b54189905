"""What is said every second or so, and is nearly all of a long journal: taken in by the stretch, as columns of numbers, and not
one by one. A stretch is plain values, so that another process can make it (:mod:`core.view.history`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate, groupby
from operator import attrgetter
from typing import TypeAlias, cast

import msgspec
from msgspec.structs import replace

from core import events as e
from core.events import Event
from core.view.decoding import names_of
from core.view.parts import merged, number
from core.view.series import Series, extended
from core.view.state import (
    KEPT_METRICS,
    KEPT_RANKS,
    KEPT_RANKS_READINGS,
    KEPT_READINGS,
    KEPT_WINDOWS,
    DeviceReading,
    RanksReading,
    State,
    Window,
)

FREQUENT = (e.StepDone, e.Heartbeat, e.DeviceSampled, e.RanksSampled)
ASIDE = (e.DeviceSampled, e.RanksSampled)
"""Those that say nothing of how far the training is."""

Points: TypeAlias = defaultdict[str, tuple[list[int], list[float]]]
"""Steps and values by metric, until a batch is over: as columns, since a long history has millions of them."""
CLOCK = "\0"
"""Among the points, the seconds trained; no metric has such a name."""


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """Steps, and values by metric, of events that name the same metrics."""

    steps: list[int]
    values: dict[str, list[float]]


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """What some frequent events in a row come to."""

    columns: list[Columns]
    seconds: list[float]
    windows: list[Window]
    """The last ones."""
    step: int
    """The farthest."""
    epoch: int
    step_age: float | None
    """None where only the device has been looked at."""
    readings: list[DeviceReading]
    """The last ones."""
    ranks: list[RanksReading]
    """The last ones."""


def stretches(events: list[Event]) -> Iterator[Stretch | Event]:
    """The frequent events up to each other one as a stretch, and that other one."""
    start, kinds = 0, list(map(type, events))
    rare = {kind for kind in set(kinds) if not issubclass(kind, FREQUENT)}
    for place in [place for place, kind in enumerate(kinds) if kind in rare] if rare else ():
        if start < place:
            yield stretch(events[start:place])
        yield events[place]
        start = place + 1
    if start < len(events):
        yield stretch(events[start:])


def stretch(told: list[Event]) -> Stretch:
    steps = [event for event in told if isinstance(event, e.StepDone)]
    samples = [event for event in told if type(event) is e.DeviceSampled] if len(steps) < len(told) else []
    ranks = [event for event in told if type(event) is e.RanksSampled] if len(steps) < len(told) else []
    aged = next((event for event in reversed(told) if type(event) not in ASIDE), None)
    return Stretch(
        columns=list(columns(steps)) if steps else [],
        seconds=[event.seconds if event.seconds > 0 else 0.0 for event in steps],
        windows=[Window(item.steps, item.images, item.seconds) for item in steps[-KEPT_WINDOWS:]],
        step=max(event.step for event in steps) if steps else 0,
        epoch=steps[-1].epoch if steps else 0,
        step_age=aged.step_age if isinstance(aged, e.Heartbeat) else None if aged is None else 0.0,
        readings=[reading(sample) for sample in samples[-KEPT_READINGS:]],
        ranks=[ranks_reading(sample) for sample in ranks[-KEPT_RANKS_READINGS:]],
    )


def reading(sample: e.DeviceSampled) -> DeviceReading:
    return DeviceReading(*[getattr(sample, name) for name in DeviceReading.__struct_fields__])


def ranks_reading(sample: e.RanksSampled) -> RanksReading:
    return RanksReading(*[getattr(sample, name)[:KEPT_RANKS] for name in RanksReading.__struct_fields__])


def take_in(state: State, told: Stretch, points: Points) -> State:
    """A whole stretch costs one new State; its points wait in ``points`` for the batch's end."""
    if told.columns:
        metrics = _collected(points, told.columns)
        trained = list(accumulate(told.seconds, initial=state.trained_seconds))
        points[CLOCK][0].extend(step for found in told.columns for step in found.steps)
        points[CLOCK][1].extend(trained[1:])
        state = replace(
            state, step=max(told.step, state.step), epoch=told.epoch, metrics=merged(state.metrics, metrics),
            trained_seconds=trained[-1], windows=(*state.windows, *told.windows)[-KEPT_WINDOWS:],
        )  # fmt: skip
    if told.readings:
        readings = (*state.device_readings, *told.readings)[-KEPT_READINGS:]
        state = replace(state, device_reading=readings[-1], device_readings=readings)
    if told.ranks:
        state = replace(state, ranks=(*state.ranks, *told.ranks)[-KEPT_RANKS_READINGS:])
    return state if told.step_age is None else replace(state, step_age=told.step_age)


def collect(points: Points, events: Sequence[e.StepDone | e.ValidationDone]) -> None:
    _collected(points, columns(events))


def with_points(state: State, points: Points) -> State:
    if not points:
        return state
    series, clock = dict(state.series), state.clock
    for name, found in points.items():
        if name == CLOCK:
            clock = extended(clock, *found)
        elif name in series or len(series) < KEPT_METRICS:
            series[name] = extended(series.get(name, Series()), *found)
    return replace(state, series=series, clock=clock)


def columns(events: Sequence[e.StepDone | e.ValidationDone]) -> Iterator[Columns]:
    """By stretches that name the same metrics; mostly there is one."""
    told = [event.metrics for event in events]
    if isinstance(told[0], msgspec.Struct):  # as core.view.decoding makes them
        fields = {name: list(map(attrgetter(field), told)) for field, name in names_of(told[0]).items()}
        yield Columns([event.step for event in events], fields)
        return
    if len(set(map(len, told))) == 1:
        with suppress(KeyError):
            values = {name: _numbers([metrics[name] for metrics in told]) for name in told[0]}
            yield Columns([event.step for event in events], values)
            return
    for _, alike in groupby(events, _names):
        yield from columns(list(alike))


def _collected(points: Points, found: Iterator[Columns] | list[Columns]) -> e.Metrics:
    """Returns the latest value of each metric."""
    latest: e.Metrics = {}
    for item in found:
        for name, values in item.values.items():
            if name == CLOCK:
                continue
            points[name][0].extend(item.steps)
            points[name][1].extend(values)
            latest[name] = values[-1]
    return latest


def _numbers(values: list[e.Number]) -> list[float]:
    with suppress(TypeError):
        sum(cast(list[float], values))  # fails where a NaN travels as text, five times as fast as a look at each one's type
        return cast(list[float], values)
    return [number(value) for value in values]


def _names(event: e.StepDone | e.ValidationDone) -> tuple[str, ...]:
    return tuple(event.metrics)
