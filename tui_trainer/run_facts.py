"""What is known of a run that a list can be filtered and ordered by. No screen library here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.events import PREFIX
from core.view import readings
from core.view.state import State
from tui_trainer.listing import ListedRun
from tui_trainer.run_filter import Facts, Filter


def facts(listed: ListedRun, now: float) -> Facts:
    state = listed.state or State()
    texts = {
        "name": listed.run.name, "recipe": state.recipe or state.program, "model": state.model, "data": state.data,
        "device": state.device, "state": state.status if listed.state else "",
    }  # fmt: skip
    return Facts(texts, {name: value for name, value in _numbers(listed, state, now).items() if value is not None}, listed.tags)


def _numbers(listed: ListedRun, state: State, now: float) -> dict[str, float | None]:
    return {
        "acc": best_of(state, "accuracy"),
        "loss": best_of(state, "loss"),
        "val": state.metrics.get("val.accuracy"),
        "test": state.metrics.get("test.accuracy"),
        "epoch": float(state.epoch) if state.epochs or state.epoch else None,
        "params": float(state.parameters) if state.parameters else None,
        "size": None if listed.size is None else float(listed.size),
        "age": max(now - state.started, 0.0) if state.started else None,
        "active": max(now - listed.active, 0.0),
        "length": state.trained_seconds or None,
        "left": readings.eta(state, now) if listed.alive else None,
    }


def best_of(state: State, quantity: str) -> float | None:
    """The best value of the split that the run watches, or of test where it watches none."""
    name = f"{PREFIX['test' if state.unwatched else state.split]}.{quantity}"
    values = [row.metrics[name] for row in state.rows if name in row.metrics]
    values += [state.metrics[name]] if name in state.metrics else []
    finite = [value for value in values if math.isfinite(value)]
    return (min if quantity == "loss" else max)(finite, default=None)


class Order(NamedTuple):
    """``by`` is one of ORDERS, or empty: the living first, then the latest."""

    by: str = ""
    turned: bool = False


def _number(name: str, sign: int) -> Callable[[Facts, ListedRun], tuple[float, ...] | None]:
    def key(known: Facts, listed: ListedRun) -> tuple[float, ...] | None:
        value = known.numbers.get(name, math.nan)
        return None if math.isnan(value) else (sign * value,)

    return key


def _text(name: str) -> Callable[[Facts, ListedRun], tuple[str, ...]]:
    return lambda known, listed: (known.texts[name].casefold(),)


def _best(known: Facts, listed: ListedRun) -> tuple[float, ...] | None:
    """Accuracies before losses, which cannot be held against each other."""
    state = listed.state or State()
    best = state.stopping.best
    if best is None or math.isnan(best):
        return None
    lower = readings.lower_is_better(state.monitor)
    return lower, best if lower else -best


def _progress(known: Facts, listed: ListedRun) -> tuple[float, ...] | None:
    return (-readings.run_fraction(listed.state),) if listed.state and listed.state.total_steps else None


FIRST_GREAT = ("acc", "val", "test", "epoch", "params", "size", "length", "age")
FIRST_SMALL = ("loss", "active", "left")
ORDERS: dict[str, Callable[[Facts, ListedRun], tuple[float, ...] | tuple[str, ...] | None]] = {
    **{name: _text(name) for name in ("name", "recipe", "state")},
    "progress": _progress,
    "best": _best,
    **{name: _number(name, -1) for name in FIRST_GREAT},
    **{name: _number(name, 1) for name in FIRST_SMALL},
}
"""By what runs can be ordered; None where it is not known of a run, which then comes last."""


def chosen(listed: Iterable[ListedRun], now: float, wanted: Filter, order: Order) -> list[ListedRun]:
    """The runs that match, in that order; those that are alike stay as they came."""
    known = [(facts(item, now), item) for item in listed] if wanted.tests or order.by else [(NOTHING, item) for item in listed]
    shown = [pair for pair in known if wanted.matches(pair[0])]
    return _turned(_ordered(shown, order.by), order.turned)


NOTHING = Facts({}, {})


def _ordered(known: Sequence[tuple[Facts, ListedRun]], by: str) -> tuple[list[ListedRun], list[ListedRun]]:
    """And after them those of which it is not known."""
    if not by:
        return [item for _, item in known], []
    keyed = [(ORDERS[by](found, item), item) for found, item in known]
    placed = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0] or ())
    return [item for _, item in placed], [item for key, item in keyed if key is None]


def _turned(parts: tuple[list[ListedRun], list[ListedRun]], turned: bool) -> list[ListedRun]:
    placed, unplaced = parts
    return [*(reversed(placed) if turned else placed), *unplaced]
