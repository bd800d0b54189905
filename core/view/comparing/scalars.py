"""Which scalars there are, in the order in which they are looked at, and which of two values is the better one."""

from __future__ import annotations

from collections.abc import Iterable

from core.view.series import Bin, Series
from core.view.state import State

FIRST = ("loss", "accuracy", "tta_accuracy", "learning_rate", "gradient_norm", "images_per_second")
SPLITS = ("train", "val", "test")


def scalars(states: Iterable[State]) -> list[str]:
    """Full names of all that at least one of the runs has a point of."""
    return sorted({name for state in states for name, series in state.series.items() if _told(series)}, key=_order)


def _told(series: Series) -> bool:
    return bool(series.bins or series.recent)


def _order(name: str) -> tuple[int, int, str]:
    split, _, rest = name.partition(".")
    kind = FIRST.index(rest) if rest in FIRST else len(FIRST)
    return kind, SPLITS.index(split) if split in SPLITS else len(SPLITS), name


def best_is_low(name: str) -> bool | None:
    """Whether less is better; None where neither is, as of a learning rate."""
    quantity = name.rpartition(".")[2]
    if quantity == "loss":
        return True
    return False if quantity.endswith("accuracy") or quantity == "images_per_second" else None


def extreme(series: Series, low: bool) -> tuple[float, int] | None:
    """The least or the greatest finite value, and the step it was at (of a long run: the last of a few steps)."""
    if not series.bins:
        return None
    found = min(series.bins, key=_low) if low else max(series.bins, key=_high)
    return (found.low if low else found.high), found.step


def _low(item: Bin) -> float:
    return item.low


def _high(item: Bin) -> float:
    return item.high
