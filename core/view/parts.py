"""Small parts that the folds of single events share."""

from __future__ import annotations

import math
from typing import TypeVar

from msgspec.structs import replace

from core.events import Metrics, Number
from core.view.state import KEPT_MARKS, KEPT_METRICS, LONGEST_TEXT, Mark, MarkKind, State

T = TypeVar("T")

NOT_FINITE: dict[Number, float] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""One object for every NaN: containers compare by identity first, so that states stay comparable."""


def numbers(metrics: Metrics) -> dict[str, float]:
    return {name: number(value) for name, value in metrics.items()}


def number(value: Number) -> float:
    return NOT_FINITE[value] if isinstance(value, str) else value


def merged(metrics: dict[str, float], later: Metrics) -> dict[str, float]:
    """Later values over earlier ones; new names only while there is room."""
    joined = dict(metrics)
    for name, value in numbers(later).items():
        if name in joined or len(joined) < KEPT_METRICS:
            joined[name] = value
    return joined


def known(value: Number) -> float | None:
    """None for NaN, which stands for 'not yet' here."""
    return None if math.isnan(float(value)) else float(value)


def short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."


def appended(items: tuple[T, ...], item: T, kept: int) -> tuple[T, ...]:
    return (*items, item)[-kept:]


def marked(state: State, step: int, kind: MarkKind, text: str) -> State:
    return replace(state, marks=appended(state.marks, Mark(step, kind, short(text)), KEPT_MARKS))
