"""What a program has measured, as its run tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from core.errors import UserError
from core.events import PREFIX, EarlyStoppingUpdated, Metrics, Split, ValidationDone, from_number
from core.view.words import lower_is_better

Classes: TypeAlias = Mapping[str, tuple[int, int]] | Sequence[str]
"""``(right, images)`` by class, or only the names of the classes, in the order of a confusion matrix."""
MOST_CLASSES = 64
"""Beyond them a confusion matrix is not told."""


class Counts(NamedTuple):
    names: tuple[str, ...] = ()
    correct: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()

    @property
    def accuracy(self) -> float | None:
        return sum(self.correct) / sum(self.images) if sum(self.images) else None


def counted(classes: Classes, confusion: Any) -> Counts:
    """Raises UserError for what does not fit together."""
    matrix = _matrix(confusion)
    names = tuple(map(str, classes))
    if matrix and names and len(names) != len(matrix):
        raise UserError(f"validated(): {len(names)} classes, and a confusion matrix of {len(matrix)} rows")
    if isinstance(classes, Mapping):
        correct, images = _scores(classes)
    else:
        correct = tuple(row[place] for place, row in enumerate(matrix))
        images = tuple(map(sum, matrix))
    return Counts(names, correct, images, matrix if len(matrix) <= MOST_CLASSES else ())


def validation(
    split: str, values: Mapping[str, float], counts: Counts, step: int, epoch: int, seconds: float
) -> ValidationDone:
    """Raises UserError for a split that the console does not know."""
    if split not in PREFIX:
        raise UserError(f"validated(split={split!r}): expected {' or '.join(map(repr, PREFIX))}")
    known: Split = "test" if split == "test" else "validation"
    metrics: Metrics = {f"{PREFIX[known]}.{name}": from_number(value) for name, value in values.items()}
    return ValidationDone(
        split=known, epoch=epoch, step=step, seconds=seconds, metrics=metrics, correct=counts.correct, images=counts.images,
        confusion=counts.confusion, classes=counts.names,
    )  # fmt: skip


@dataclass
class Best:
    """The best that a metric has been, over the epochs."""

    metric: str
    value: float | None = None
    epoch: int = 0
    step: int = 0
    since: int = 0
    """Epochs without an improvement."""
    latest: float | None = None

    def take(self, metrics: Metrics, epoch: int, step: int) -> bool:
        """Whether this is the best so far."""
        if self.metric not in metrics:
            return False
        self.latest = latest = float(metrics[self.metric])
        if latest != latest or not (self.value is None or self._better(latest, self.value)):
            return False
        self.value, self.epoch, self.step = latest, epoch, step
        return True

    def _better(self, one: float, other: float) -> bool:
        return one < other if lower_is_better(self.metric) else one > other

    def told(self, epoch: int) -> EarlyStoppingUpdated:
        """After each epoch; nothing is stopped by it."""
        value, self.latest = self.latest, None
        return EarlyStoppingUpdated(
            enabled=False, metric=self.metric if self.value is not None else "", value=from_number(_or_nan(value)),
            best=from_number(_or_nan(self.value)), best_epoch=self.epoch, best_step=self.step, epoch=epoch,
            epochs_since=epoch - self.epoch if self.epoch else 0, improved=self.epoch == epoch,
        )  # fmt: skip


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _scores(classes: Mapping[str, tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    try:
        found = [(int(right), int(images)) for right, images in classes.values()]
    except (TypeError, ValueError, OverflowError):
        raise UserError("validated(classes=...): expected {'name': (right, images)} for each class") from None
    if any(not 0 <= right <= images for right, images in found):
        raise UserError("validated(classes=...): expected (right, images) with 0 <= right <= images for each class")
    return tuple(right for right, _ in found), tuple(images for _, images in found)


def _matrix(confusion: Any) -> tuple[tuple[int, ...], ...]:
    """Of a list, an array or a tensor."""
    if confusion is None:
        return ()
    rows = confusion.tolist() if hasattr(confusion, "tolist") else confusion
    try:
        matrix = tuple(tuple(int(count) for count in row) for row in rows)
    except (TypeError, ValueError, OverflowError):
        raise UserError("validated(confusion=...): expected rows of counts, a row for each true class") from None
    if any(len(row) != len(matrix) or min(row) < 0 for row in matrix):
        raise UserError("validated(confusion=...): expected as many columns as rows, and no count below 0")
    return matrix
