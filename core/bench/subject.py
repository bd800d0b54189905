"""A recipe made ready to be measured: on its own data where they are there, else on random images of the same shape."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import data
from core.data import Dataset, Images, Progress
from core.models import Inputs
from core.recipe import Recipe
from core.sections import Data
from core.training import setup as setups
from core.training.setup import Setup

RANDOM = "random images"
RANDOM_TRAIN, RANDOM_TEST = 10_000, 2_000
"""Images; enough that they do not all stay in a cache."""


@dataclass(frozen=True)
class Subject:
    setup: Setup
    load_seconds: float
    """Spent on reading the data set."""
    loaded: int
    """Images in it, both splits."""

    @property
    def random(self) -> bool:
        return self.setup.data == RANDOM


def prepare(recipe: Recipe, threads: int | None) -> Subject:
    """Never downloads. Raises UserError for whatever in the recipe does not fit this machine or the data."""
    seconds, images = 0.0, 0

    def load(settings: Data, progress: Progress) -> Dataset:
        nonlocal seconds, images
        started = time.perf_counter()
        dataset = read(settings, progress)
        seconds, images = time.perf_counter() - started, len(dataset.train.labels) + len(dataset.test.labels)
        return dataset

    setup = setups.prepare(recipe, threads, data.silent, load, Path.cwd())  # what is measured was named by who asks
    return Subject(setup, seconds, images)


def read(settings: Data, progress: Progress) -> Dataset:
    """The data set, or random images of as many classes and of the same size where it is not here."""
    if data.availability(settings).ready:
        return data.load(settings, progress)
    inputs = data.known_inputs(settings)
    train, test = (_random(count, inputs) for count in (RANDOM_TRAIN, RANDOM_TEST))
    names = tuple(f"class {number}" for number in range(inputs.classes))
    mean, std = (0.5,) * inputs.channels, (0.29,) * inputs.channels
    return Dataset(RANDOM, names, train, test, mean, std, fingerprint="")


def _random(count: int, inputs: Inputs) -> Images:
    shape = count, inputs.channels, inputs.size, inputs.size
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return Images(pixels, np.arange(count, dtype=np.int64) % inputs.classes)
