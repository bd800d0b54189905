"""Which square images of any size are brought to, and which of them are kept for test where the data do not say."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low

import numpy as np
import numpy.typing as npt

from core.data.images import Form, Look
from core.sections import SMALL, Data

Labels = npt.NDArray[np.int64]
LARGE = 2 * SMALL
"""Pixels; the networks of all recipes take that too."""
EVERY = 10
"""So many images of a class give one for test."""
SPLIT = "no test split: every tenth image of each class is kept for test"


def form(settings: Data, looks: Iterable[Look]) -> Form:
    """What the settings ask for; what they leave open is found from what some of the images look like."""
    found = list(looks)
    size = settings.size or (LARGE if median_low([item.side for item in found] or [0]) >= LARGE else SMALL)
    grey = all(item.grey for item in found) and settings.color_mode == "auto" and bool(found)
    return Form(size, 1 if grey or settings.color_mode == "grayscale" else 3, only_grey=grey)


def notes(settings: Data, looks: Iterable[Look], chosen: Form) -> tuple[str, ...]:
    """In sentences, what :func:`form` found."""
    side = median_low([item.side for item in looks] or [chosen.size])
    size = f"images of about {side} pixels are brought to {chosen.size}, as data.size is left out" if not settings.size else ""
    colours = "all images are grey: the network takes one channel" if chosen.only_grey else ""
    return tuple(filter(None, (size if side != chosen.size else "", colours)))


def kept_for_test(labels: Labels) -> npt.NDArray[np.bool_]:
    """Which images are: every tenth of each class in their order, and the last of a class with less."""
    places, sizes = ranks(labels), np.bincount(labels)
    kept: npt.NDArray[np.bool_] = places % EVERY == np.minimum(sizes, EVERY)[labels] - 1
    return kept


def ranks(labels: Labels) -> Labels:
    """How many of the same class come before each image."""
    by_class = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    starts = np.cumsum(sizes) - sizes
    found = np.empty(len(labels), np.int64)
    found[by_class] = np.arange(len(labels)) - starts[labels[by_class]]
    return found
