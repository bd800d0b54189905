"""From events to the State that screens show: one small pure function per type of event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from core import events as e
from core.events import Event
from core.view import lifecycle, measured, settings
from core.view.frequent import Points, Stretch, collect, stretches, take_in, with_points
from core.view.parts import appended, marked, short
from core.view.state import KEPT_CHECKPOINTS, KEPT_MESSAGES, Message, SavedCheckpoint, State


class Told(NamedTuple):
    """What some events come to, before it is known after which others they came."""

    seq: int
    """The highest of theirs."""
    time: float
    """The latest that one of them has, else 0."""
    parts: list[Stretch | Event]


def fold(state: State, events: Iterable[Event]) -> State:
    """The state after some more events. ``fold(fold(s, a), b) == fold(s, a + b)``, exactly and for every cut.

    Events at or below ``state.seq`` are skipped, so that reading a stretch of the journal twice does no harm."""
    return fold_told(state, told(unread(state.seq, list(events))))


def fold_told(state: State, said: Told) -> State:
    """The state after what some events, none of which it knows, come to."""
    points: Points = defaultdict(lambda: ([], []))
    for part in said.parts:
        state = take_in(state, part, points) if isinstance(part, Stretch) else _one(state, part, points)
    return replace(with_points(state, points), seq=max(state.seq, said.seq), last_time=said.time or state.last_time)


def told(events: list[Event]) -> Told:
    seq = max([event.seq for event in events], default=-1)
    time = next((event.time for event in reversed(events) if event.time), 0.0)
    return Told(seq, time, list(stretches(events)))


def unread(seq: int, events: list[Event]) -> list[Event]:
    """Those of them that a state of this seq does not know yet."""
    if events and seq < events[0].seq and in_a_row(events):
        return events
    fresh = list[Event]()
    for event in events:
        if event.seq > seq:
            seq = event.seq
        elif event.seq >= 0:
            continue
        fresh.append(event)
    return fresh


def in_a_row(events: list[Event]) -> bool:
    """As one writer numbers them."""
    numbers = [event.seq for event in events]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _one(state: State, event: Event, points: Points) -> State:
    if isinstance(event, (e.SessionStart, e.RunRewound)):
        state = with_points(state, points)
        points.clear()
    elif isinstance(event, e.ValidationDone) and not event.checkpoint and not _measured_before(state, event):
        collect(points, [event])
    folder = FOLDERS.get(type(event))
    return folder(state, event) if folder else state


def _measured_before(state: State, event: e.ValidationDone) -> bool:
    """With the same weights: after a kill between a measurement and its checkpoint it is made again, and stays one point."""
    before = state.measurements.get(event.split)
    return before is not None and (before.step, before.checkpoint) == (event.step, "")


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
    e.PicturesLogged: measured.pictures_logged,
    e.EpochDone: measured.epoch_done,
    e.EarlyStoppingUpdated: measured.early_stopping_updated,
    e.EarlyStopped: measured.early_stopped,
    e.CheckpointSaved: _checkpoint_saved,
    e.CheckpointRemoved: _checkpoint_removed,
    e.MessageLogged: _message_logged,
    e.SettingChanged: _setting_changed,
    e.RemarkAdded: _remark_added,
    e.CommandAccepted: lifecycle.command_accepted,
    e.CommandRejected: lifecycle.command_rejected,
}
"""Those of FREQUENT are folded by the stretch, Unknown to nothing."""
