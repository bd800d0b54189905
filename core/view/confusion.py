"""Which classes are taken for which."""

from __future__ import annotations

from typing import NamedTuple

from core.view.measurement import Measurement


class Confusion(NamedTuple):
    """So many images of one class were taken for another; ``share`` is of all images of the true class."""

    truth: str
    taken_for: str
    images: int
    share: float
    total: int = 0
    """Images of the true class."""


def confusions(measurement: Measurement, number: int) -> list[Confusion]:
    """The pairs of classes most often taken for each other, the worst first."""
    names = [score.name for score in measurement.classes]
    totals = [sum(row) for row in measurement.confusion]
    pairs = [
        Confusion(names[truth], names[guess], count, count / totals[truth], totals[truth])
        for truth, row in enumerate(measurement.confusion[: len(names)])
        for guess, count in enumerate(row[: len(names)])
        if truth != guess and 0 < count <= totals[truth]
    ]
    return sorted(pairs, key=lambda pair: pair.images, reverse=True)[:number]


def confusion_words(pair: Confusion) -> str:
    """``cat taken for dog: 61 of 1,000``"""
    return f"{pair.truth} taken for {pair.taken_for}: {pair.images:,} of {pair.total:,}"
