"""What a sweep has come to, as a value: a Trial for each run that it began. ``trials.json`` in its folder holds it for whoever
looks on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from core.events import FORMAT
from core.events.base import Whole
from core.format import prepare
from core.sweep.space import Value
from core.view.words import format_metric, lower_is_better

State: TypeAlias = Literal["running", "interrupted", "finished", "pruned", "failed"]
"""``interrupted``: it goes on when the sweep does."""


FEWEST = 4
"""Finished trials from which on it is worth asking which keys matter."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    number: Whole = 1
    """From 1 on."""
    run: str = ""
    """Name of its run, which lies beside the sweep."""
    state: State = "running"
    values: dict[str, Value] = {}
    value: float | None = None
    """Of the weights that count where it has finished, else what was measured last."""
    epoch: Whole = 0
    """The last one that was measured."""
    epochs: Whole = 0
    best_epoch: Whole = 0
    """Of which ``value`` is; 0 while that is not settled."""
    seconds: float = 0.0
    """Trained."""
    note: str = ""
    """Why it came to nothing, or no further."""

    @property
    def ended(self) -> bool:
        return self.state in ("finished", "pruned", "failed")


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """``trials.json``."""

    format: int = FORMAT
    trials: tuple[Trial, ...] = ()
    importances: dict[str, float] = {}
    """By key, together 1; empty while too few trials have finished."""
    note: str = ""
    """Why the sweep ended before its last trial, where it did."""


prepare(Board)


def better(metric: str, value: float, other: float) -> bool:
    return value < other if lower_is_better(metric) else value > other


def best(trials: Iterable[Trial], metric: str) -> Trial | None:
    """The first of the best among those that have finished."""
    found: Trial | None = None
    for trial in trials:
        if (
            trial.state == "finished"
            and trial.value is not None
            and (found is None or found.value is None or better(metric, trial.value, found.value))
        ):
            found = trial
    return found


def best_so_far(trials: Sequence[Trial], metric: str) -> list[tuple[int, float]]:
    """After each finished trial, by its number."""
    found, reached = list[tuple[int, float]](), list[Trial]()
    for trial in trials:
        if trial.state == "finished":
            reached.append(trial)
        if trial.state == "finished" and (leader := best(reached, metric)) and leader.value is not None:
            reached = [leader]
            found.append((trial.number, leader.value))
    return found


def ended(trials: Iterable[Trial]) -> int:
    return sum(trial.ended for trial in trials)


def at_rest(board: Board) -> Board:
    """As it is to be shown when nobody conducts the sweep: what was under way waits."""
    waiting = tuple(replace(trial, state="interrupted") if trial.state == "running" else trial for trial in board.trials)
    return replace(board, trials=waiting)


def value_words(trial: Trial, metric: str) -> str:
    """``val.loss 1.2345 at epoch 7``."""
    epoch = trial.best_epoch or trial.epoch
    return f"{metric} {format_metric(metric, trial.value)}" + (f" at epoch {epoch}" if epoch else "")


def short_text(value: Value) -> str:
    """For people: four digits of a number."""
    return value if isinstance(value, str) else f"{value:.4g}" if isinstance(value, float) else str(value)


def values_words(values: Mapping[str, Value]) -> str:
    """``optimizer.lr=0.002134 batch_size=64``."""
    return " ".join(f"{key}={short_text(value)}" for key, value in values.items())
