"""How a run stands or ended, in one line: what is said of it away from its screen."""

from __future__ import annotations

from core.events import PREFIX
from core.view.state import State
from core.view.words import format_metric

SPLITS = {"test": "test", "val": "validation", "train": "training"}


def accuracy(state: State) -> str:
    """The name of the accuracy that counts now: on test once the run has ended, else on what is held out, else in training;
    empty while there is none."""
    watched = [f"{PREFIX[state.split]}.accuracy", "train.accuracy"]
    return next((name for name in ["test.accuracy"] * state.ended + watched if name in state.metrics), "")


def accuracy_words(state: State) -> str:
    """``test accuracy 93.29 %``; empty while there is none."""
    name = accuracy(state)
    return f"{SPLITS[name.partition('.')[0]]} accuracy {format_metric(name, state.metrics[name])}" if name else ""


def place(state: State) -> str:
    """How far a run has come that does not say how long it will be."""
    return f"step {state.step:,}" + (f", epoch {state.epoch:,}" if state.epoch else "")


def ending_words(state: State) -> str:
    """``finished: 9 epochs done``, of a run that has ended; ``stopped on request`` says it already."""
    why = state.ending or "the trainer is gone without a word"
    return why if why.startswith(f"{state.status} ") else f"{state.status}: {why}"


def outcome(state: State) -> str:
    """``finished: 9 epochs done, test accuracy 93.29 %``, or why the latest session came to nothing."""
    if state.refusal:
        return f"not resumed: {state.refusal}"
    return ", ".join(filter(None, (ending_words(state) if state.ended else state.status, accuracy_words(state))))
