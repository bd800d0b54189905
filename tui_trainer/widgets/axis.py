"""Ticks at 1, 2 or 5 times a power of ten, and how their numbers are written."""

from __future__ import annotations

import math


def ticks(low: float, high: float, most: int, least: float = 0.0) -> list[float]:
    """About ``most`` round numbers within ``low`` to ``high``, evenly spaced by ``least`` or more where that leaves two."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    for wanted, floor in ((most, least), (most, 0.0), (2 * most, 0.0), (4 * most, 0.0)):
        step = spacing(max(floor, (high - low) / wanted))
        found = [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
        if len(found) > 1:
            return found
    return [low, high]


def spacing(least: float) -> float:
    """The smallest of 1, 2, 5 x 10^n that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def log_ticks(low: float, high: float, most: int) -> dict[float, str]:
    """Where round numbers stand on a logarithmic axis, and how they are written: powers of ten over many, else 1, 2 and 5 times
    them, else evenly spaced ones. ``low`` and ``high`` are logarithms."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    every = max(1, math.ceil((high - low) / most))
    for factors in ((1.0,), (1.0, 2.0, 5.0)):
        found = [factor * 10.0**power for power in powers if power % every == 0 and power > -300 for factor in factors]
        inside = {math.log10(value): label(value, value) for value in found if low <= math.log10(value) <= high}
        if len(inside) >= min(most, 3):
            return inside
    values = ticks(10.0**low, 10.0**high, most)
    return {math.log10(value): label(value, values[-1] - values[-2]) for value in values if value > 0}


def logarithm(value: float) -> float:
    """Base 10; of what has none, as far below everything as can be."""
    return math.log10(value) if value > 0 else -math.inf


def label(value: float, step: float) -> str:
    """A tick's number with the decimals that its spacing needs, and in short scientific form where it is tiny or huge."""
    if value == 0:
        return "0"
    if step < 1e-3 or abs(value) >= 1e6:
        return scientific(value, max(0, math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9)))
    return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def scientific(value: float, decimals: int = 1) -> str:
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def short(value: float | None) -> str:
    """A scalar in about five characters, for legends and tables."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}" if abs(value) >= 1000 else f"{value:.3f}"
    return scientific(value)
