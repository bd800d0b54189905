"""How long it takes: paces, shares and what is left, from the latest windows and measurements."""

from __future__ import annotations

from statistics import median

from core.events import MEASURING
from core.view.confusion import Confusion as Confusion
from core.view.confusion import confusion_words as confusion_words
from core.view.confusion import confusions as confusions
from core.view.state import State
from core.view.words import format_bytes as format_bytes
from core.view.words import format_count as format_count
from core.view.words import format_duration as format_duration
from core.view.words import format_metric as format_metric
from core.view.words import lower_is_better as lower_is_better


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
