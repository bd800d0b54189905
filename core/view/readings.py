"""What a person wants to read off a State: pure functions of (State, now), in numbers and short words.

``now`` is Unix seconds. Durations are seconds, shares are 0 to 1, and None means 'not known yet'.
"""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from core.events import MEASURING
from core.view.confusion import Confusion as Confusion
from core.view.confusion import confusion_words as confusion_words
from core.view.confusion import confusions as confusions
from core.view.state import EpochRow, State
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


def images_per_second(state: State) -> float | None:
    """Training throughput: the median of the latest windows, so that one slow save does not count."""
    rates = [item.images / item.seconds for item in state.windows if item.seconds > 0 and item.images > 0]
    return median(rates) if rates else None


def seconds_per_step(state: State) -> float | None:
    paces = [item.seconds / item.steps for item in state.windows if item.seconds > 0 and item.steps > 0]
    return median(paces) if paces else None


def step_in_epoch(state: State) -> int:
    """Steps done of the epoch under way."""
    done = state.step - max(state.epoch - 1, 0) * state.steps_per_epoch
    return min(max(done, 0), max(state.steps_per_epoch, 0))


def epoch_fraction(state: State) -> float:
    return step_in_epoch(state) / state.steps_per_epoch if state.steps_per_epoch > 0 else 0.0


def run_fraction(state: State) -> float:
    return min(max(state.step / state.total_steps, 0.0), 1.0) if state.total_steps > 0 else 0.0


def phase_fraction(state: State) -> float | None:
    phase = state.phase
    return min(max(phase.done / phase.total, 0.0), 1.0) if phase and phase.total > 0 else None


def eta(state: State, now: float) -> float | None:
    """Seconds to the end of the last epoch, its validation and the final test, if nothing stops the run before.

    Training and validation are estimated apart. The step under way counts as far as it has come."""
    pace, training = seconds_per_step(state), _training_left(state)
    if state.ended or training is None:
        return None
    begun = state.step_age + max(now - state.last_time, 0.0) if state.status == "running" else 0.0
    return max(training + _validation_left(state) - min(begun, pace or 0.0), 0.0)


def epoch_eta(state: State) -> float | None:
    """Seconds to the end of the training part of the epoch under way."""
    pace = seconds_per_step(state)
    known = pace is not None and state.steps_per_epoch > 0 and not state.ended
    return (state.steps_per_epoch - step_in_epoch(state)) * pace if known and pace else None


def _training_left(state: State) -> float | None:
    steps, pace = max(state.total_steps - state.step, 0), seconds_per_step(state)
    if steps == 0:
        return 0.0 if state.total_steps > 0 else None
    return None if pace is None else steps * pace


def _validation_left(state: State) -> float:
    """One pass of the watched split an epoch, and one of the test split at the end with the best weights."""
    passes = max(state.epochs - (state.rows[-1].epoch if state.rows else 0), 0)
    if state.split == "test":
        return (passes + 1 - _share_measured(state, "test")) * _pass_seconds(state, "test")
    validation = max(passes - _share_measured(state, "validation"), 0.0) * _pass_seconds(state, "validation")
    return validation + (1.0 - _share_measured(state, "test")) * _pass_seconds(state, "test")


def _share_measured(state: State, split: str) -> float:
    """Of the pass over a split that is under way."""
    under_way = state.phase is not None and state.phase.name == MEASURING[split]
    return (phase_fraction(state) or 0.0) if under_way else 0.0


def _pass_seconds(state: State, split: str) -> float:
    """How long one pass over a split takes: as measured, else in proportion to the other split's, else nothing."""
    if (found := state.measurements.get(split)) is not None:
        return max(found.seconds, 0.0)
    images = {"validation": state.validation_images, "test": state.test_images}
    other = next((item for item in state.measurements.values() if item.images > 0), None)
    return max(other.seconds, 0.0) / other.images * max(images.get(split, 0), 0) if other else 0.0


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


def patience_left(state: State) -> int | None:
    """Epochs that may still pass without an improvement; None when early stopping is off."""
    stopping = state.stopping
    return max(stopping.patience - stopping.epochs_since, 0) if stopping.enabled and stopping.patience > 0 else None


def stopping_sentence(state: State) -> str:
    """Early stopping as it stands and what will happen, in one line."""
    watched = " (watches the TEST split)" if monitor(state).startswith("test.") else ""
    return f"{_stopping_words(state)}{watched}"


def monitor(state: State) -> str:
    return state.stopping.metric or state.monitor


def _stopping_words(state: State) -> str:
    stopping = state.stopping
    if stopping.best is None:
        return _before_first_measurement(state)
    best = f"best {format_metric(monitor(state), stopping.best)} ({monitor(state)}) at {best_place(state)}"
    if state.origin:
        return best
    if state.status == "early-stopped":
        return f"stopped after epoch {stopping.epoch}: {best}, {epochs(stopping.epochs_since)} without an improvement"
    if not stopping.enabled:
        return f"off; {best}"
    if state.ended:
        after = (
            f"; {epochs(stopping.epochs_since)} without an improvement after it" if stopping.epochs_since else ", the latest"
        )
        return f"{best}{after}"
    improvement = "an improvement" + (f" of {stopping.min_delta:g}" if stopping.min_delta > 0 else "")
    if stopping.epochs_since == 0:
        return f"{best}, the latest; stops after {epochs(stopping.patience)} without {improvement}"
    count = f"{stopping.epochs_since} of {epochs(stopping.patience)} without {improvement}"
    end = stopping.epoch + max(stopping.patience - stopping.epochs_since, 0)
    if 0 < state.epochs <= end:
        return f"{best}; {count}; the last epoch, {state.epochs}, comes first"
    return f"{best}; {count}; stops after epoch {end} unless it improves"


def best_place(state: State) -> str:
    """When the best was; by its step where others count no epochs."""
    stopping = state.stopping
    return f"step {stopping.best_step:,}" if state.origin and not stopping.best_epoch else f"epoch {stopping.best_epoch}"


def _before_first_measurement(state: State) -> str:
    if state.origin:
        return "no loss or accuracy of a held-out split yet"
    if state.unwatched or not state.stopping.enabled:
        return "off; trains all its epochs"
    if not state.stopping.patience:
        return "no measurement yet"
    return f"no measurement yet; stops after {epochs(state.stopping.patience)} without an improvement ({monitor(state)})"


def epochs(number: int) -> str:
    return f"{number} epoch" if number == 1 else f"{number} epochs"


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
