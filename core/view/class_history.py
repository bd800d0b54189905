"""How many images of each class were right, measurement by measurement, in bounded memory.

As in a series, how measurements are cut into batches never changes the result: there is one for each stretch of ``width``
epochs, the latest in it, and the width doubles at the very measurement that makes one too many.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

KEPT_POINTS = 200
KEPT_CLASSES = 1000
"""The first ones; further classes have no history."""


class ClassPoint(msgspec.Struct, frozen=True):
    """One measurement; of each class how many images were right, and how many there are."""

    epoch: int
    step: int
    correct: tuple[int, ...]
    images: tuple[int, ...]

    def accuracy(self, number: int) -> float | None:
        """Of the class of that number."""
        if number >= len(self.images) or self.images[number] <= 0:
            return None
        return min(max(self.correct[number] / self.images[number], 0.0), 1.0)


class ClassHistory(msgspec.Struct, frozen=True):
    """Steps rise from point to point, and epochs do not fall."""

    width: int = 1
    points: tuple[ClassPoint, ...] = ()


def extended(history: ClassHistory, epoch: int, step: int, correct: Sequence[int], images: Sequence[int]) -> ClassHistory:
    """The history with one more measurement. One of a step that was measured before takes its place."""
    count = min(len(correct), len(images), KEPT_CLASSES)
    point = ClassPoint(max(epoch, 0), step, tuple(correct[:count]), tuple(images[:count]))
    earlier = (item for item in history.points if item.step < point.step and item.epoch <= point.epoch)
    return _thinned(history.width, [*earlier, point])


def rewound(history: ClassHistory, step: int) -> ClassHistory:
    """Without what was measured after a step. Of a stretch whose latest measurement goes, the earlier ones are not known."""
    return ClassHistory(history.width, tuple(item for item in history.points if item.step <= step))


def _thinned(width: int, points: list[ClassPoint]) -> ClassHistory:
    points = _latest(width, points)
    while len(points) > KEPT_POINTS:
        width *= 2
        points = _latest(width, points)
    return ClassHistory(width, tuple(points))


def _latest(width: int, points: list[ClassPoint]) -> list[ClassPoint]:
    return list({item.epoch // width: item for item in points}.values())
