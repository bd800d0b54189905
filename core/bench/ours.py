"""This package's own training step, and what any step is measured by."""

from __future__ import annotations

import math
import time
from typing import Protocol

import torch

from core.training.progress import Progress
from core.training.setup import Setup
from core.training.steps import Steps

BLOCK = 0.5
"""Seconds that a block lasts at the least; it has one step at the least."""
WARM_UP = 1.0
"""Seconds of steps before anything counts: kernels are chosen and memory is taken then."""
RATE_SHARE = 1e-3
"""Of the recipe's learning rate: so little that nothing diverges, on whatever images."""


class Stepper(Protocol):
    """A training whose steps can be taken one by one."""

    def take(self) -> None:
        """One step. The device may still be at it afterwards."""

    def finish(self) -> int:
        """Wait for the device; returns the images of the steps since the last call."""


class OurStep:
    """:class:`core.training.steps.Steps`, always at the recipe's last epoch, which has images of full size."""

    def __init__(self, setup: Setup) -> None:
        self._recipe = setup.recipe
        self._steps = Steps(setup, Progress())

    def take(self) -> None:
        epoch = self._recipe.epochs
        if self._steps.must_compile(epoch):
            self._steps.compile(epoch)
        self._steps.take(epoch, self._recipe.optimizer.lr * RATE_SHARE)

    def finish(self) -> int:
        window = self._steps.close_window()
        return window.images if window else 0


def warm_up(stepper: Stepper) -> int:
    """Steps that do not count; returns how many make a block."""
    started = time.perf_counter()
    while True:
        before = time.perf_counter()
        stepper.take()
        stepper.finish()
        now = time.perf_counter()
        if now - started >= WARM_UP:
            return math.ceil(BLOCK / (now - before))


def images_per_second(stepper: Stepper, steps: int) -> float:
    started = time.perf_counter()
    for _ in range(steps):
        stepper.take()
    return stepper.finish() / (time.perf_counter() - started)


def synchronise(device: torch.device) -> None:
    """Wait until a device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
