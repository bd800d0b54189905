"""A run told in lines: what a log of the run should say, event by event. No screen library here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core import events as e
from core.events import PREFIX, Event
from core.view import settings
from core.view.fold import fold
from core.view.ranks import ranks, ranks_words, straggler_words
from core.view.readings import (
    epoch_eta,
    epoch_words,
    eta,
    format_bytes,
    format_count,
    format_duration,
    format_metric,
    images_per_second,
    phase_fraction,
    seconds_per_step,
    step_in_epoch,
    stopping_sentence,
    trouble,
)
from core.view.state import State
from core.view.words import count
from tui_trainer.escape import printable

LONG_PHASE = 2.0
"""Seconds; a shorter phase is not worth a line."""
ROUTINE = frozenset({"validate", "test", "save"})
"""Phases that every epoch has: its own line tells of them."""


class Narrator:
    """Folds events and says which lines they are worth."""

    def __init__(self, state: State, brief: bool = False) -> None:
        """``brief`` where rate, throughput and the early-stopping sentence stand elsewhere on the screen."""
        self.state, self._brief = state, brief

    def tell(self, events: Sequence[Event]) -> list[str]:
        """Fold them; the lines are safe to print."""
        lines: list[str] = []
        for event in events:
            before, self.state = self.state, fold(self.state, [event])
            if self.state is not before:
                lines += map(printable, self._lines(event))
        return lines

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case e.RunStarted() | e.RunResumed():
                yield from header(self.state, event)
            case e.EarlyStoppingUpdated():
                yield epoch_line(self.state, self._brief)
                if not self._brief and (words := ranks_words(self.state)):
                    yield words
            case e.PhaseEnded() if event.seconds >= LONG_PHASE and event.phase not in ROUTINE:
                yield f"{event.phase}: took {format_duration(event.seconds)}"
            case e.CheckpointSaved() if event.name:
                yield f"saved '{event.name}' as {event.checkpoint} ({format_bytes(event.bytes)})"
            case _:
                yield from happening(event)


def happening(event: Event) -> Iterator[str]:
    """Lines for what a person did, or must know of."""
    match event:
        case e.RunRewound():
            yield f"went back to {event.checkpoint} at step {event.step}, epoch {event.epoch}: {event.reason}"
            yield from map(settings.words, event.settings)
        case e.RunPaused():
            yield f"paused at step {event.step}{f': {event.reason}; goes on once it can save' if event.reason else ''}"
        case e.RunContinued():
            yield f"can save again at step {event.step}" if event.reason else f"goes on at step {event.step}"
        case e.SettingChanged():
            note = f": {event.note}" if event.note else ""
            for setting in event.settings:
                yield f"{settings.words(setting)} from step {event.step} on{note}"
        case e.RemarkAdded():
            yield f"remark at step {event.step}: {event.text}"
        case e.ResumeRefused():
            yield f"not resumed: {event.reason}"
        case e.CommandRejected():
            yield f"{event.command or 'command'} rejected: {event.reason}"
        case e.MessageLogged():
            yield event.text if event.level == "info" else f"{event.level}: {event.text}"


def header(state: State, event: e.SessionStart) -> Iterator[str]:
    """What is trained on what; for a resumed run also from where."""
    if state.program:
        yield from _own_header(state)
        return
    images = f"{state.train_images:,} train, {state.validation_images:,} validation, {state.test_images:,} test images"
    yield (
        f"run {state.name}: recipe {state.recipe}, data {state.data} ({images}), model {state.model} with "
        f"{format_count(state.parameters)} parameters, {state.device} {state.precision}, {count(state.threads, 'thread')}, "
        f"{count(state.epochs, 'epoch')} of {count(state.steps_per_epoch, 'step')}"
    )
    if isinstance(event, e.RunResumed):
        exact = "" if event.bit_exact else f", not bit for bit: {event.note}"
        yield f"resumed from {event.checkpoint} at step {event.step}, epoch {event.epoch}{exact}"
    if state.monitor.startswith("test."):
        yield f"early stopping and the best weights go by {state.monitor}: this run watches the TEST split"


def _own_header(state: State) -> Iterator[str]:
    """Of a run that its own program trains, as far as that has told."""
    model = f"model {state.model} with {format_count(state.parameters)} parameters" if state.parameters else state.model
    steps = f" of {count(state.steps_per_epoch, 'step')}" if state.steps_per_epoch else ""
    length = f"{count(state.epochs, 'epoch')}{steps}" if state.epochs else f"epochs{steps}" if steps else "length not known"
    yield ", ".join(filter(None, (f"run {state.name}: trained by {state.program}", model, state.device, length)))


def epoch_line(state: State, brief: bool = False) -> str:
    """One finished epoch, aligned with the lines above it."""
    row = state.rows[-1] if state.rows else None
    if row is None:
        return stopping_sentence(state)
    width, prefix = len(str(state.epochs)), PREFIX[state.split]
    cells = [f"epoch {row.epoch:{width}d}/{state.epochs}" if state.epochs else f"epoch {row.epoch}"]
    for name in ("train",) if state.unwatched else ("train", prefix):
        loss, accuracy = row.metrics.get(f"{name}.loss"), row.metrics.get(f"{name}.accuracy")
        cells.append(f"{name} {format_metric('loss', loss):>7} {format_metric('accuracy', accuracy):>8}")
    if brief:
        return "  ".join([*cells, f"{format_duration(row.seconds):>6}", stopping_brief(state)])
    cells.append(f"lr {format_metric('learning_rate', state.metrics.get('train.learning_rate'))}")
    cells += [f"{format_duration(row.seconds):>6}", f"{throughput(state):>14}", stopping_sentence(state)]
    return "  ".join(cells)


def stopping_brief(state: State) -> str:
    stopping = state.stopping
    if stopping.best is None:
        return ""
    if stopping.epochs_since == 0:
        return "best so far"
    return f"{stopping.epochs_since} of {stopping.patience} without improvement" if stopping.enabled else ""


def throughput(state: State) -> str:
    rate, seconds = images_per_second(state), seconds_per_step(state)
    if rate is None:
        return f"{1 / seconds:,.0f} steps/s" if seconds else "-"
    return f"{rate:,.0f} images/s"


def progress_line(state: State, now: float) -> str:
    """Where the run is at this moment, in one line."""
    if words := trouble(state, now):
        return printable(f"{words}, at step {state.step}")
    if state.phase is not None:
        return printable(f"{epoch_words(state)}, {phase_words(state)}" if state.epoch else phase_words(state))
    loss = format_metric("train.loss", state.metrics.get("train.loss"))
    accuracy = format_metric("train.accuracy", state.metrics.get("train.accuracy"))
    step = f"{step_in_epoch(state)}/{state.steps_per_epoch}" if state.steps_per_epoch else f"{state.step:,}"
    left = f", epoch {format_duration(epoch_eta(state))} left" if state.steps_per_epoch else ""
    left += f", run {format_duration(eta(state, now))} left" if state.total_steps else ""
    left += f", {words}" if (words := straggler_words(state)) else ""
    return printable(
        f"{epoch_words(state)}, step {step}, loss {loss}, accuracy {accuracy}, {throughput(state)}{memory(state)}{left}"
    )


def phase_words(state: State) -> str:
    phase, share = state.phase, phase_fraction(state)
    if phase is None:
        return ""
    label = f" ({phase.label})" if phase.label else ""
    return f"{phase.name}{label}" + ("" if share is None else f" {100 * share:.0f} %")


def memory(state: State) -> str:
    if found := ranks(state):
        return f", {format_bytes(sum(item.memory_bytes for item in found))} of memory in {count(len(found), 'process')}"
    reading = state.device_reading
    return f", {format_bytes(reading.memory_bytes)} of memory" if reading and reading.memory_bytes else ""
