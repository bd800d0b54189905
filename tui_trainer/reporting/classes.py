"""What a measurement came to, by class: a table, and the confusion matrix as a heat map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.view.readings import confusion_words, confusions
from core.view.state import ClassScore, Measurement, State
from core.view.words import count, format_duration, format_metric

STRENGTHS = 10
"""Different colours of the heat map."""
MOST_CLASSES = 1000
WORST_PAIRS = 10


class Cell(NamedTuple):
    words: str
    strength: int
    right: bool
    tip: str


class ClassRow(NamedTuple):
    name: str
    accuracy: str
    change: str
    images: str
    share: float
    """Of a full bar, from 0 to 100."""


class Measured(NamedTuple):
    title: str
    scores: tuple[tuple[str, str], ...]
    classes: tuple[ClassRow, ...]
    left_out: int
    """Classes that have no row."""
    names: tuple[str, ...]
    matrix: tuple[tuple[Cell, ...], ...]
    pairs: tuple[str, ...]


def measured(state: State) -> list[Measured]:
    """The latest measurement of each split, that of the test split first."""
    found = sorted(state.measurements.values(), key=lambda item: item.split != "test")
    return [_measured(item) for item in found]


def _measured(item: Measurement) -> Measured:
    return Measured(
        f"{item.split} after epoch {item.epoch}, weights of {item.checkpoint or f'step {item.step:,}'}",
        tuple(_scores(item)),
        tuple(_row(score) for score in item.classes[:MOST_CLASSES]), max(len(item.classes) - MOST_CLASSES, 0),
        tuple(score.name for score in item.classes), _matrix(item),
        tuple(confusion_words(pair) for pair in confusions(item, WORST_PAIRS)),
    )  # fmt: skip


def _scores(item: Measurement) -> Iterator[tuple[str, str]]:
    for name, value in sorted(item.metrics.items()):
        yield name, format_metric(name, value)
    if item.images:
        yield "images", f"{item.images:,} in {format_duration(item.seconds)}"


def _row(score: ClassScore) -> ClassRow:
    share = min(max(score.accuracy or 0.0, 0.0), 1.0)
    change = "" if score.change is None else f"{100 * score.change:+.1f}"
    images = f"{score.correct:,} of {score.images:,}"
    return ClassRow(score.name, format_metric("accuracy", score.accuracy), change, images, round(100 * share, 1))


def _matrix(item: Measurement) -> tuple[tuple[Cell, ...], ...]:
    """Empty where the run did not keep it, as above 64 classes."""
    names, counts = [score.name for score in item.classes], item.confusion
    if len(counts) != len(names) or any(len(row) != len(names) for row in counts):
        return ()
    shares = [[number / total if (total := sum(row)) > 0 else 0.0 for number in row] for row in counts]
    mistakes = (share for truth, row in enumerate(shares) for guess, share in enumerate(row) if truth != guess)
    largest = max(mistakes, default=0.0) or 1.0
    return tuple(
        tuple(_cell(item, truth, guess, share, largest) for guess, share in enumerate(row)) for truth, row in enumerate(shares)
    )


def _cell(item: Measurement, truth: int, guess: int, share: float, largest: float) -> Cell:
    """Mistakes are as strong in colour as they are beside the largest one, which is still small beside what is right."""
    right, number = truth == guess, item.confusion[truth][guess]
    strength = min(max(share if right else share / largest, 0.0), 1.0)
    what = f"{item.classes[truth].name}, " + ("right" if right else f"taken for {item.classes[guess].name}")
    tip = f"{what}: {number:,} of {count(sum(item.confusion[truth]), 'image')}"
    return Cell(f"{100 * share:.0f}" if number else "", round(strength * STRENGTHS), right, tip)
