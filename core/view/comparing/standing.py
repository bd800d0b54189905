"""How each of several runs stands, and which of them is the best in what."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from core.view.comparing.subject import Subject
from core.view.readings import images_per_second, monitor
from core.view.state import State, Status
from core.view.words import lower_is_better

DONE = ("finished", "early-stopped")


class Standing(NamedTuple):
    """Of one run; what is not known is None."""

    name: str
    state: Status
    metric: str
    """That ``best`` is of; empty where the run watches none."""
    best: float | None
    best_epoch: int | None
    test_accuracy: float | None
    tta_accuracy: float | None
    """On the test split, with test-time augmentation."""
    train_loss: float | None
    """Of the last whole epoch; before the first, the latest."""
    epoch: int
    epochs: int
    trained_seconds: float
    images_per_second: float | None
    parameters: int | None
    seed: int | None


COLUMNS = ("best", "test_accuracy", "tta_accuracy", "train_loss", "trained_seconds", "images_per_second")
"""In which one run can be better than another."""
LOW = frozenset({"train_loss", "trained_seconds"})


def standings(subjects: Sequence[Subject]) -> list[Standing]:
    return [_standing(item) for item in subjects]


def _standing(item: Subject) -> Standing:
    state, stopping = item.state, item.state.stopping
    known = stopping.best is not None and (stopping.best_epoch > 0 or not state.origin)  # others may count none
    return Standing(
        item.name, state.status, monitor(state), stopping.best, stopping.best_epoch if known else None,
        state.metrics.get("test.accuracy"), state.metrics.get("test.tta_accuracy"), _train_loss(state), state.epoch,
        state.epochs, state.trained_seconds, images_per_second(state), state.parameters or None, _seed(item.recipe),
    )  # fmt: skip


def _train_loss(state: State) -> float | None:
    row = state.rows[-1].metrics.get("train.loss") if state.rows else None
    return state.metrics.get("train.loss") if row is None else row


def _seed(recipe: dict[str, Any] | None) -> int | None:
    seed = recipe.get("seed") if recipe else None
    return seed if isinstance(seed, int) else None


def bests(found: Sequence[Standing]) -> dict[str, frozenset[int]]:
    """By column the places of the best runs: none where fewer than two can be held against each other, or all are equal."""
    return {column: _best(found, column) for column in COLUMNS}


def _best(found: Sequence[Standing], column: str) -> frozenset[int]:
    values = {place: value for place, item in enumerate(found) if (value := _value(item, column)) is not None}
    if len(values) < 2 or len(set(values.values())) == 1:
        return frozenset()
    if column == "best" and len({found[place].metric for place in values}) > 1:  # a loss is no accuracy
        return frozenset()
    low = lower_is_better(found[min(values)].metric) if column == "best" else column in LOW
    pick: Callable[..., float] = min if low else max
    winner = pick(values.values())
    return frozenset(place for place, value in values.items() if value == winner)


def _value(item: Standing, column: str) -> float | None:
    """None where it does not count: one that is not finite, or the time of a run that is not done."""
    value: float | None = getattr(item, column)
    if value is None or not math.isfinite(value) or (column == "trained_seconds" and item.state not in DONE):
        return None
    return value
