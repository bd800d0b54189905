"""A row of characters as a small curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tui_trainer.widgets.glyphs import ASCII, glyphs

T = TypeVar("T")


def sparkline(values: Sequence[float | None], low: float, high: float) -> str:
    """A character for each of the ``values`` (None: not known), between ``low`` and ``high``."""
    levels = "_.-~=+*#" if glyphs() is ASCII else "▁▂▃▄▅▆▇█"
    scale = (len(levels) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else levels[round((min(max(value, low), high) - low) * scale)] for value in values)


def fitted(items: Sequence[T], places: int) -> list[T]:
    """At most so many, evenly spaced, the latest among them."""
    if len(items) <= places:
        return list(items)
    return [items[len(items) * (place + 1) // places - 1] for place in range(places)]
