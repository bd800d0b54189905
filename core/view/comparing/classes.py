"""Accuracy by class in several runs, on one split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.events import PREFIX
from core.view.comparing.subject import Subject
from core.view.state import Measurement
from core.view.words import count

WHOLE = "all"
"""The row of a split's own accuracy."""


class ClassRow(NamedTuple):
    """A class, or :data:`WHOLE`; ``accuracies`` from 0 to 1 by run, None where it has none of that class."""

    name: str
    accuracies: tuple[float | None, ...]

    @property
    def spread(self) -> float:
        known = [value for value in self.accuracies if value is not None]
        return max(known) - min(known) if known else 0.0

    def differences(self, reference: int | None) -> tuple[float | None, ...]:
        """To the run at that place, else to the best."""
        known = [value for value in self.accuracies if value is not None]
        base = self.accuracies[reference] if reference is not None else max(known, default=None)
        return tuple(None if base is None or value is None else value - base for value in self.accuracies)


class Classes(NamedTuple):
    split: str
    whole: ClassRow
    rows: tuple[ClassRow, ...]
    """In the order of the first run that has them."""
    notes: tuple[str, ...]
    """By run: why it has none here, or that its classes are others; empty where all is as it should be."""
    epochs: tuple[int | None, ...]
    """After which each was measured."""


def splits(subjects: Sequence[Subject]) -> list[str]:
    """Those that at least one run has measured; first the one that most have, of two of these the test split."""
    counts = {split: sum(_measured(item, split) is not None for item in subjects) for split in ("test", "validation")}
    return sorted((split for split, number in counts.items() if number), key=lambda split: -counts[split])


def classes(subjects: Sequence[Subject], split: str) -> Classes:
    found = [_measured(item, split) for item in subjects]
    accuracies = [_accuracies(item) for item in found]
    names = dict.fromkeys(name for known in accuracies for name in known)
    rows = tuple(ClassRow(name, tuple(known.get(name) for known in accuracies)) for name in names)
    metric = f"{PREFIX[split]}.accuracy"
    whole = ClassRow(WHOLE, tuple(item.metrics.get(metric) if item else None for item in found))
    notes = tuple(_note(place, accuracies, subjects[place], split) for place in range(len(subjects)))
    return Classes(split, whole, rows, notes, tuple(item.epoch if item else None for item in found))


def _measured(item: Subject, split: str) -> Measurement | None:
    found = item.state.measurements.get(split)
    return found if found and found.classes else None


def _accuracies(measurement: Measurement | None) -> dict[str, float | None]:
    return {score.name: score.accuracy for score in measurement.classes} if measurement else {}


def _note(place: int, accuracies: Sequence[dict[str, float | None]], item: Subject, split: str) -> str:
    own = accuracies[place]
    if not own:
        return _why_not_measured(item, split)
    first = next(known for known in accuracies if known)
    if own.keys() == first.keys():
        return ""
    shared = len(own.keys() & first.keys())
    return f"other classes: {shared or 'none'} of its {count(len(own), 'class')} in common with the first"


def _why_not_measured(item: Subject, split: str) -> str:
    state = item.state
    if state.seq < 0:
        return "has said nothing yet"
    if split == "validation" and state.unwatched:
        return "holds nothing out to validate on"
    if split == "test" and not state.ended:
        return "test is measured at its end"
    return f"{split} was not measured"
