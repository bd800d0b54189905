"""Numbers in words that keep their width: the same everywhere a person reads them."""

from __future__ import annotations

import math

NOTHING = "-"
HIGHER = ("accuracy", "f1", "auc", "auroc", "precision", "recall", "bleu", "rouge", "iou", "dice", "r2", "reward", "score")
"""How the names of metrics end of which more is better."""


def format_duration(seconds: float | None) -> str:
    """``4.2 s``, ``45 s``, ``3 min 05 s``, ``2 h 07 min``, ``3 d 04 h``; ``-`` when not known."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def count(number: int, noun: str) -> str:
    """``1 class``, ``10 classes``, ``2,500 images``, ``3 entries``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def format_count(number: float) -> str:
    """Three significant digits: ``950``, ``12.3k``, ``4.26M``, ``1.5G``."""
    return _scaled(number, 1000.0, ("", "k", "M", "G", "T", "P"))


def format_bytes(number: float) -> str:
    """In powers of 1024: ``512 B``, ``1.5 MiB``, ``23.4 GiB``."""
    return _scaled(number, 1024.0, (" B", " KiB", " MiB", " GiB", " TiB", " PiB"))


def format_metric(name: str, value: float | None) -> str:
    """Accuracies as per cent, learning rates in exponent form, everything else with four decimals or digits."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if name.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    if name.endswith(("learning_rate", ".lr")):
        return f"{value:.2e}"
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"


def lower_is_better(metric: str) -> bool:
    return not metric.endswith(HIGHER)


def _scaled(number: float, base: float, units: tuple[str, ...]) -> str:
    size, power = abs(number), 0
    while size >= base * 0.9995 and power < len(units) - 1:
        size, power = size / base, power + 1
    sign = "-" if number < 0 else ""
    if power == 0:
        return f"{sign}{size:.0f}{units[0]}"
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{sign}{size:.{digits}f}{units[power]}"
