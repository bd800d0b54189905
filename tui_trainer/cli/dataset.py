"""What a data set is, as ``data show`` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from core.view.words import count
from tui_trainer.cli.say import table

if TYPE_CHECKING:
    from core.data import Dataset


class Described(msgspec.Struct, frozen=True):
    name: str
    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    images: dict[str, dict[str, int]]
    """By split and class."""
    fingerprint: str
    notes: tuple[str, ...]


def described(dataset: Dataset) -> Described:
    import numpy as np

    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    images = {}
    for split, found in splits.items():
        if found is not None:
            counts = np.bincount(found.labels, minlength=len(dataset.classes)).tolist()
            images[split] = dict(zip(dataset.classes, counts, strict=True))
    _, channels, size, _ = dataset.train.pixels.shape
    mean, std = dataset.mean, dataset.std
    return Described(dataset.name, channels, size, mean, std, images, dataset.fingerprint, dataset.notes)


def lines(found: Described) -> Iterator[str]:
    splits = list(found.images)
    rows = [("CLASS", *(split.upper() for split in splits))]
    rows += [(name, *(f"{found.images[split][name]:,}" for split in splits)) for name in found.images["train"]]
    rows.append(("all", *(f"{sum(found.images[split].values()):,}" for split in splits)))
    yield from table([(*row, "") for row in rows], right=range(1, len(splits) + 1))
    mean, std = (", ".join(f"{value:.3f}" for value in values) for values in (found.mean, found.std))
    yield f"{count(found.channels, 'channel')} of {found.size}x{found.size} pixels, mean {mean}, deviation {std}"
    yield from found.notes
