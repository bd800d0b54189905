"""What a person wants to read off a State: pure functions of (State, now), in numbers and short words.

``now`` is Unix seconds. Durations are seconds, shares are 0 to 1, and None means 'not known yet'.
"""

from __future__ import annotations

from typing import NamedTuple

from core.events import MEASURING
from core.view.confusion import Confusion as Confusion
from core.view.confusion import confusion_words as confusion_words
from core.view.confusion import confusions as confusions
from core.view.estimates import epoch_eta as epoch_eta
from core.view.estimates import epoch_fraction as epoch_fraction
from core.view.estimates import eta as eta
from core.view.estimates import images_per_second as images_per_second
from core.view.estimates import phase_fraction as phase_fraction
from core.view.estimates import run_fraction as run_fraction
from core.view.estimates import seconds_per_step as seconds_per_step
from core.view.estimates import step_in_epoch as step_in_epoch
from core.view.measurement import Measurement
from core.view.state import EpochRow, State
from core.view.stopping import best_place as best_place
from core.view.stopping import epochs as epochs
from core.view.stopping import monitor as monitor
from core.view.stopping import patience_left as patience_left
from core.view.stopping import stopping_sentence as stopping_sentence
from core.view.words import format_bytes as format_bytes
from core.view.words import format_count as format_count
from core.view.words import format_duration as format_duration
from core.view.words import format_metric as format_metric
from core.view.words import lower_is_better as lower_is_better

STALE_SECONDS = 5.0
"""A living trainer says something every second; after so long without a word it is worth saying so."""


QUIET_SECONDS = 300.0
"""Files of others that say nothing for so long belong to a run that has ended, paused or died; which of them is not known."""
LONG_STEP, LONG_STEPS = 20.0, 10
"""Seconds, and times its usual duration, beyond which a step under way may hang."""
LONG_FIRST_STEP = 60.0
"""The same while no duration is known yet."""


PHASES = {
    "start": "loading torch", "device": "setting up the device", "download": "fetching data", "prepare": "reading data",
    "read": "reading the files", "build": "building the network", "compile": "compiling", "validate": "validating",
    "test": "testing", "save": "saving",
}  # fmt: skip
"""What is done in a phase."""


class BestAndLast(NamedTuple):
    best: float
    best_epoch: int
    last: float
    last_epoch: int


def doing(state: State) -> str:
    """What goes on at this moment, where that is something else than training, in words: ``reading data 40 %``."""
    if state.ended:
        return ""
    if (phase := state.phase) is not None:
        share = phase_fraction(state)
        words = PHASES.get(phase.name) or phase.label or phase.name
        return words if share is None else f"{words} {share:4.0%}".replace("%", " %")
    if state.origin:
        return ""
    if not state.begun or state.status == "preparing":
        return "starting" if state.seq < 0 else "getting ready"
    more = state.step < state.total_steps or not state.total_steps
    return "first batch" if state.status == "running" and not state.windows and more else ""


def epoch_words(state: State) -> str:
    """``epoch 3/9``, or ``epoch 3`` where nobody knows how many there will be."""
    return f"epoch {state.epoch}/{state.epochs}" if state.epochs else f"epoch {state.epoch}"


def weights_measured(state: State, measurement: Measurement) -> str:
    """Which weights it is of, where those are others than training had come to by then."""
    if not (name := measurement.checkpoint):
        return ""
    known = {saved.checkpoint: saved.epoch for saved in state.checkpoints}
    if known.get(name) == measurement.epoch:
        return ""
    return f"weights of epoch {known[name]}" if name in known else f"weights of {name}"


def where(state: State) -> str:
    """``epoch 3 of 9, step 1,234``, as far as it is known."""
    epoch = f"epoch {state.epoch} of {state.epochs}" if state.epochs else f"epoch {state.epoch}" if state.epoch else ""
    return ", ".join(filter(None, (epoch, f"step {state.step:,}")))


def stale(state: State, now: float) -> float | None:
    """Seconds since the last word of a run that should be speaking, or None while that is short."""
    if state.ended or state.seq < 0 or state.origin:
        return None
    silence = now - state.last_time
    return silence if silence > STALE_SECONDS else None


def stuck(state: State) -> float | None:
    """Seconds that the step under way, or a measurement's batch, has lasted, or None while that is not out of the ordinary.

    A worker that hangs in it still gives signs of life, since those come from beside the trainer."""
    if state.status != "running" or (state.phase and state.phase.name not in MEASURING.values()):
        return None
    pace = seconds_per_step(state)
    usual = LONG_FIRST_STEP if pace is None else max(LONG_STEP, LONG_STEPS * pace)
    return state.step_age if state.step_age > usual else None


def trouble(state: State, now: float) -> str:
    """What is wrong with a run that should be going on, in words; empty when nothing is."""
    if state.away:
        what = "not let in: attach again" if state.shut else "trying again"
        return f"no link for {format_duration(max(now - state.away, 0.0))}, {what}"
    if state.fetched < 1:
        return f"fetching its journal {state.fetched:.0%}"
    if (silence := stale(state, now)) is not None:
        return f"no sign of life for {format_duration(silence)}"
    if (age := stuck(state)) is not None:
        what = f"a batch of {state.phase.name}" if state.phase else "a step"
        return f"{what} has taken {format_duration(age)}"
    return ""


def origin(state: State, now: float) -> str:
    """What a run of others is read from, and how old the newest of it is, in words; empty for our own."""
    if state.status != "watched":
        return ""
    if not state.last_time:
        return f"{state.origin}, nothing yet"
    age = max(now - state.last_time, 0.0)
    words = f"nothing new for {format_duration(age)}" if age > QUIET_SECONDS else f"newest {format_duration(age)} ago"
    return f"{state.origin}, {words}"


def elapsed(state: State, now: float) -> float:
    """Seconds since this session began; of an ended run, until its last event."""
    if not state.session_started:
        return 0.0
    return max((state.last_time if state.ended else now) - state.session_started, 0.0)


def best_and_last(state: State, metric: str) -> BestAndLast | None:
    """The best and the latest value over finished epochs; NaN never is the best."""
    rows = [(row.metrics[metric], row.epoch) for row in state.rows if metric in row.metrics]
    usable = [(value, epoch) for value, epoch in rows if value == value]
    if not usable:
        return None
    pick = min if lower_is_better(metric) else max
    best, best_epoch = pick(usable, key=lambda item: item[0])
    return BestAndLast(best, best_epoch, *rows[-1])


def best_row(state: State) -> EpochRow | None:
    """The finished epoch that the best weights come from."""
    return next((row for row in reversed(state.rows) if row.epoch == state.stopping.best_epoch), None)
