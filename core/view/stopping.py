"""Early stopping in words: how it stands, and what will happen."""

from __future__ import annotations

from core.view.confusion import Confusion as Confusion
from core.view.confusion import confusion_words as confusion_words
from core.view.confusion import confusions as confusions
from core.view.state import State
from core.view.words import format_bytes as format_bytes
from core.view.words import format_count as format_count
from core.view.words import format_duration as format_duration
from core.view.words import format_metric as format_metric
from core.view.words import lower_is_better as lower_is_better


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
