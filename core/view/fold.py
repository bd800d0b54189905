"""From events to the State that screens show: one small pure function per type of event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from itertools import groupby
from operator import add
from typing import Any, TypeAlias, cast

from msgspec.structs import replace

from core import events as e
from core.events import Event
from core.view import lifecycle, measured, settings
from core.view.parts import appended, marked, merged, number, short
from core.view.series import Series, extended
from core.view.state import (
    KEPT_CHECKPOINTS,
    KEPT_MESSAGES,
    KEPT_METRICS,
    KEPT_WINDOWS,
    DeviceReading,
    Message,
    SavedCheckpoint,
    State,
    Window,
)

Points: TypeAlias = defaultdict[str, tuple[list[int], list[float]]]
"""Steps and values by metric, until a batch is over: as columns, since a long history has millions of them."""


def fold(state: State, events: Iterable[Event]) -> State:
    """The state after some more events. ``fold(fold(s, a), b) == fold(s, a + b)``, exactly and for every cut.

    Events at or below ``state.seq`` are skipped, so that reading a stretch of the journal twice does no harm."""
    fresh = _unread(state.seq, list(events))
    points: Points = defaultdict(lambda: ([], []))
    for frequent, event in _stretches(fresh):
        state = _frequent(state, frequent, points)
        if event is not None:
            state = _one(state, event, points)
    seq = max([event.seq for event in fresh], default=-1)
    time = next((event.time for event in reversed(fresh) if event.time), state.last_time)
    return replace(_with_points(state, points), seq=max(state.seq, seq), last_time=time)


def _unread(seq: int, events: list[Event]) -> list[Event]:
    numbers = [event.seq for event in events]
    if numbers and seq < numbers[0] and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return events  # as one writer numbers them
    fresh = list[Event]()
    for event in events:
        if event.seq > seq:
            seq = event.seq
        elif event.seq >= 0:
            continue
        fresh.append(event)
    return fresh


def _stretches(events: list[Event]) -> Iterator[tuple[list[Event], Event | None]]:
    """What is said several times a minute, up to each other event, and that one."""
    start, kinds = 0, [type(event) for event in events]
    others = [] if FREQUENT.issuperset(kinds) else [place for place, kind in enumerate(kinds) if kind not in FREQUENT]
    for place in others:
        yield events[start:place], events[place]
        start = place + 1
    yield events[start:], None


def _frequent(state: State, told: list[Event], points: Points) -> State:
    """A whole stretch costs one new State for each kind, since all but ``step_age`` depends on the kind's own events alone."""
    steps = [event for event in told if type(event) is e.StepDone]
    if steps:
        state = _steps_done(state, steps, points)
    if len(steps) == len(told):
        return state
    latest = {type(event): event for event in told if type(event) is not e.StepDone}
    for kind, event in latest.items():
        state = FOLDERS[kind](state, event)
    aged = next((event for event in reversed(told) if type(event) is not e.DeviceSampled), None)
    return replace(state, step_age=0.0) if type(aged) is e.StepDone else state


def _one(state: State, event: Event, points: Points) -> State:
    if isinstance(event, (e.SessionStart, e.RunRewound)):
        state = _with_points(state, points)
        points.clear()
    elif isinstance(event, e.ValidationDone) and not event.checkpoint and not _measured_before(state, event):
        _collect(points, [event])
    folder = FOLDERS.get(type(event))
    return folder(state, event) if folder else state


def _measured_before(state: State, event: e.ValidationDone) -> bool:
    """With the same weights: after a kill between a measurement and its checkpoint it is made again, and stays one point."""
    before = state.measurements.get(event.split)
    return before is not None and (before.step, before.checkpoint) == (event.step, "")


def _steps_done(state: State, batch: Sequence[e.StepDone], points: Points) -> State:
    """A million of these make a long run, so a whole batch costs one new State and points wait for the batch's end."""
    latest = _collect(points, batch)
    trained = reduce(add, [event.seconds if event.seconds > 0 else 0.0 for event in batch], state.trained_seconds)
    windows = tuple(Window(item.steps, item.images, item.seconds) for item in batch[-KEPT_WINDOWS:])
    last = batch[-1]
    return replace(
        state, step=last.step, epoch=last.epoch, step_age=0.0, trained_seconds=trained,
        metrics=merged(state.metrics, latest), windows=(state.windows + windows)[-KEPT_WINDOWS:],
    )  # fmt: skip


def _collect(points: Points, events: Sequence[e.StepDone | e.ValidationDone]) -> e.Metrics:
    """Returns the latest value of each metric."""
    latest: e.Metrics = {}
    for steps, columns in _columns(events):
        for name, values in columns.items():
            points[name][0].extend(steps)
            points[name][1].extend(_numbers(values))
            latest[name] = values[-1]
    return latest


def _numbers(values: list[e.Number]) -> list[float]:
    with suppress(TypeError):
        sum(cast(list[float], values))  # fails where a NaN travels as text, five times as fast as a look at each one's type
        return cast(list[float], values)
    return [number(value) for value in values]


def _columns(events: Sequence[e.StepDone | e.ValidationDone]) -> Iterator[tuple[list[int], dict[str, list[e.Number]]]]:
    """Steps, and values by metric, of stretches that name the same metrics; mostly there is one."""
    told = [event.metrics for event in events]
    if len(set(map(len, told))) == 1:
        with suppress(KeyError):
            yield [event.step for event in events], {name: [metrics[name] for metrics in told] for name in told[0]}
            return
    for _, alike in groupby(events, _names):
        yield from _columns(list(alike))


def _names(event: e.StepDone | e.ValidationDone) -> tuple[str, ...]:
    return tuple(event.metrics)


def _with_points(state: State, points: Points) -> State:
    if not points:
        return state
    series = dict(state.series)
    for name, found in points.items():
        if name in series or len(series) < KEPT_METRICS:
            series[name] = extended(series.get(name, Series()), *found)
    return replace(state, series=series)


def _epoch_started(state: State, event: e.EpochStarted) -> State:
    return replace(state, epoch=event.epoch, step=event.step)


def _checkpoint_saved(state: State, event: e.CheckpointSaved) -> State:
    saved = SavedCheckpoint(event.checkpoint, event.step, event.epoch, event.name, event.best, event.time, event.bytes)
    others = tuple(
        replace(item, best=False) if event.best and item.best else item
        for item in state.checkpoints if item.checkpoint != event.checkpoint
    )  # fmt: skip
    state = replace(state, checkpoints=appended(others, saved, KEPT_CHECKPOINTS))
    return marked(state, event.step, "saved", f"saved '{event.name}'") if event.name else state


def _checkpoint_removed(state: State, event: e.CheckpointRemoved) -> State:
    return replace(state, checkpoints=tuple(item for item in state.checkpoints if item.checkpoint != event.checkpoint))


def _device_sampled(state: State, event: e.DeviceSampled) -> State:
    return replace(state, device_reading=DeviceReading(*(getattr(event, name) for name in DeviceReading.__struct_fields__)))


def _heartbeat(state: State, event: e.Heartbeat) -> State:
    return replace(state, step_age=event.step_age)


def _message_logged(state: State, event: e.MessageLogged) -> State:
    message = Message(event.time, event.level, short(event.text))
    return replace(state, messages=appended(state.messages, message, KEPT_MESSAGES))


def _setting_changed(state: State, event: e.SettingChanged) -> State:
    for setting in event.settings:
        text = settings.words(setting)
        if not (event.again and any((mark.step, mark.text) == (event.step, text) for mark in state.marks)):
            state = marked(state, event.step, "setting", text)
        state = settings.applied(state, setting)
    return state


def _remark_added(state: State, event: e.RemarkAdded) -> State:
    return marked(state, event.step, "remark", event.text)


FOLDERS: dict[type[Event], Callable[[State, Any], State]] = {
    e.RunStarted: lifecycle.run_started,
    e.RunResumed: lifecycle.run_resumed,
    e.RunRewound: lifecycle.run_rewound,
    e.RunPaused: lifecycle.run_paused,
    e.RunContinued: lifecycle.run_continued,
    e.RunFinished: lifecycle.run_finished,
    e.RunStopped: lifecycle.run_stopped,
    e.RunFailed: lifecycle.run_failed,
    e.ResumeRefused: lifecycle.resume_refused,
    e.PhaseStarted: lifecycle.phase_started,
    e.PhaseProgressed: lifecycle.phase_progressed,
    e.PhaseEnded: lifecycle.phase_ended,
    e.EpochStarted: _epoch_started,
    e.ValidationDone: measured.validation_done,
    e.EpochDone: measured.epoch_done,
    e.EarlyStoppingUpdated: measured.early_stopping_updated,
    e.EarlyStopped: measured.early_stopped,
    e.CheckpointSaved: _checkpoint_saved,
    e.CheckpointRemoved: _checkpoint_removed,
    e.DeviceSampled: _device_sampled,
    e.Heartbeat: _heartbeat,
    e.MessageLogged: _message_logged,
    e.SettingChanged: _setting_changed,
    e.RemarkAdded: _remark_added,
    e.CommandAccepted: lifecycle.command_accepted,
    e.CommandRejected: lifecycle.command_rejected,
}
"""StepDone is folded by the batch, Unknown to nothing."""
FREQUENT: frozenset[type[Event]] = frozenset({e.StepDone, e.Heartbeat, e.DeviceSampled})
"""Said every second or so, and nearly all of a long journal."""
