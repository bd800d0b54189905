"""What one pass over a split came to, and which images were kept of it."""

from __future__ import annotations

import msgspec


class ClassScore(msgspec.Struct, frozen=True):
    """One class on one split, after its latest measurement."""

    name: str
    correct: int
    images: int
    previous: float | None = None
    """Accuracy at the measurement before (0 to 1)."""

    @property
    def accuracy(self) -> float | None:
        return self.correct / self.images if self.images else None

    @property
    def change(self) -> float | None:
        accuracy = self.accuracy
        return None if accuracy is None or self.previous is None else accuracy - self.previous


class Measurement(msgspec.Struct, frozen=True):
    """The latest pass over one split."""

    split: str
    epoch: int
    step: int
    metrics: dict[str, float]
    classes: tuple[ClassScore, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    checkpoint: str = ""
    seconds: float = 0.0
    images: int = 0


class PictureSet(msgspec.Struct, frozen=True):
    """Images that the run keeps, in its folder as ``media/MEDIA``."""

    kind: str
    split: str
    epoch: int
    step: int
    pictures: int
    bytes: int
    media: str
    checkpoint: str = ""
