"""How a run begins, pauses and ends, what it waits for and what it answers."""

from __future__ import annotations

from msgspec.structs import replace

from core import events as e
from core.sections import LARGEST_COUNT
from core.view import rewind, settings
from core.view.parts import appended, marked, merged, short
from core.view.state import KEPT_ANSWERS, KEPT_MESSAGES, KEPT_RANKS, Answer, Message, Phase, State, Status
from core.view.words import count

LARGEST_EPOCH = 10**9
"""Steps; a journal may hold anything, and what it claims must stay countable."""


def _session(state: State, event: e.SessionStart) -> State:
    return replace(
        state, status="watched" if event.origin else "running", origin=event.origin, name=event.name, recipe=event.recipe,
        program=short(event.program), data=event.data, classes=event.classes, model=event.model, parameters=event.parameters,
        macs=event.macs, train_images=event.train_images,
        validation_images=event.validation_images, test_images=event.test_images, batch_size=event.batch_size,
        device=event.device, precision=event.precision, threads=event.threads, monitor=event.monitor,
        epochs=min(event.epochs, LARGEST_COUNT), steps_per_epoch=min(event.steps_per_epoch, LARGEST_EPOCH),
        session_started=event.time, sessions=state.sessions + 1, phase=None, step_age=0.0, windows=(), stop_after_epoch=False,
        paused=False, hindrance="", ended_as=None, refusal="", ending="", failure="", weights="", ranks=(),
        hosts=tuple(map(short, event.hosts[:KEPT_RANKS])),
    )  # fmt: skip


def run_started(state: State, event: e.RunStarted) -> State:
    """Said again when a run ended before its first checkpoint and begins anew."""
    return replace(rewind.to_step(_session(state, event), 0, 0), started=event.time)


def run_resumed(state: State, event: e.RunResumed) -> State:
    state = rewind.to_step(_session(state, event), event.step, event.epoch)
    text = f"resumed from {event.checkpoint}" + (f": {event.note}" if event.note else "")
    return marked(state, event.step, "resume", text)


def run_rewound(state: State, event: e.RunRewound) -> State:
    """The session goes on, so that it keeps its pace and its pauses."""
    state = replace(rewind.to_step(state, event.step, event.epoch), step_age=0.0, phase=None)
    for setting in event.settings:
        state = settings.applied(state, setting)
    text = ", ".join([rewound_to(event), *map(settings.words, event.settings)])
    state = marked(state, event.step, "rewind", text)
    return replace(state, messages=appended(state.messages, Message(event.time, "warning", short(text)), KEPT_MESSAGES))


def rewound_to(event: e.RunRewound) -> str:
    return f"went back to {event.checkpoint}" + (f": {event.reason}" if event.reason else "")


def run_paused(state: State, event: e.RunPaused) -> State:
    state = replace(state, hindrance=short(event.reason)) if event.reason else replace(state, paused=True)
    return replace(state, status="paused", step_age=0.0)


def run_continued(state: State, event: e.RunContinued) -> State:
    state = replace(state, hindrance="") if event.reason else replace(state, paused=False)
    return replace(state, status="paused" if state.paused or state.hindrance else "running")


def run_finished(state: State, event: e.RunFinished) -> State:
    state = replace(_ended(state, event.weights), metrics=merged(state.metrics, event.metrics))
    if event.early:
        return replace(state, status="early-stopped", ending=state.ending or "early stopping")
    return replace(state, status="finished", ending=f"{_length(state, event)} done")


def _length(state: State, event: e.RunFinished) -> str:
    """A program may end its run earlier, and without epochs."""
    if not state.program:
        return count(state.epochs, "epoch")
    return count(event.epoch, "epoch") if state.epochs or event.epoch > 1 else count(event.step, "step")


def run_stopped(state: State, event: e.RunStopped) -> State:
    status: Status = "discarded" if event.discarded else "stopped"
    return replace(_ended(state, event.weights), status=status, ending=short(event.reason) or f"{status} on request")


def run_failed(state: State, event: e.RunFailed) -> State:
    return replace(_ended(state, event.weights), status="failed", failure=event.kind, ending=short(event.reason))


def resume_refused(state: State, event: e.ResumeRefused) -> State:
    """As before it was tried; a run whose last session had been killed is lost again."""
    reason = short(event.reason)
    message = Message(event.time, "error", f"not resumed: {reason}")
    state = replace(_ended(state, state.weights), status=state.ended_as or "lost", refusal=reason)
    return replace(state, messages=appended(state.messages, message, KEPT_MESSAGES))


def _ended(state: State, weights: str) -> State:
    return replace(state, phase=None, step_age=0.0, stop_after_epoch=False, paused=False, hindrance="", weights=weights)


def phase_started(state: State, event: e.PhaseStarted) -> State:
    """The first phase after an ending is a new session that prepares."""
    phase = Phase(event.phase, short(event.label), 0, event.total, event.unit, event.time)
    if event.phase == "start" or state.ended:
        before = state.status if state.ended else state.ended_as
        return replace(state, phase=phase, status="preparing", ended_as=before, refusal="", paused=False, hindrance="")
    return replace(state, phase=phase)


def phase_progressed(state: State, event: e.PhaseProgressed) -> State:
    if state.phase is None or state.phase.name != event.phase:
        return state
    return replace(state, phase=replace(state.phase, done=event.done, total=event.total or state.phase.total))


def phase_ended(state: State, event: e.PhaseEnded) -> State:
    return state if state.phase and state.phase.name != event.phase else replace(state, phase=None)


def command_accepted(state: State, event: e.CommandAccepted) -> State:
    state = _answered(state, Answer(event.id, event.command, True, short(event.note)))
    match event.command:
        case "StopAfterEpoch":
            return replace(state, stop_after_epoch=True)
        case "Validate":
            return marked(state, event.step, "validated", f"measured: {event.note}")
    return state


def command_rejected(state: State, event: e.CommandRejected) -> State:
    return _answered(state, Answer(event.id, event.command, False, short(event.reason)))


def _answered(state: State, answer: Answer) -> State:
    return replace(state, answers=appended(state.answers, answer, KEPT_ANSWERS))
