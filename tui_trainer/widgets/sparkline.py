"""A row of characters as a small curve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tui_trainer.widgets.glyphs import ASCII, glyphs


def sparkline(values: Sequence[float | None], low: float, high: float, width: int) -> str:
    """``values`` (None: not known) between ``low`` and ``high``, each place the mean of those that share it; the latest value
    stands at the end by itself."""
    levels = "_.-~=+*#" if glyphs() is ASCII else "▁▂▃▄▅▆▇█"
    scale = (len(levels) - 1) / (high - low) if high > low else 0.0
    shown = [
        None if value is None else levels[round((min(max(value, low), high) - low) * scale)] for value in _fitted(values, width)
    ]
    return "".join(level or " " for level in shown)


def _fitted(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    if width < 2:
        return list(values[len(values) - width :])
    earlier, places = values[:-1], width - 1
    edges = [len(earlier) * place // places for place in range(places + 1)]
    return [*(_mean(earlier[start:end]) for start, end in pairwise(edges)), values[-1]]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
