"""What each of several processes comes to by itself: gathered with the sums of every window, said every other second."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import torch
from torch import Tensor

from core.events import RanksSampled
from core.training.working import Clock

EVERY = 2.0
"""Seconds between two words about it, at the least."""
DIGITS = 4
"""Of a speed."""


class Figures:
    """Of this process among all of them: ``size`` rows, each of which only its own rank fills before they are added up."""

    def __init__(self, rank: int, size: int, clock: Clock, device: torch.device) -> None:
        self._rank, self._size, self._clock, self._device = rank, size, clock, device
        self._process = psutil.Process()
        self._images = 0
        self._sums = torch.zeros(size, 2, dtype=torch.float64)
        """Images and seconds of each rank since the last word."""
        self._memory = torch.zeros(size, 2, dtype=torch.float64)
        self._said = time.monotonic()

    def begin(self) -> None:
        """A window."""
        self._clock.begin()
        self._images = 0

    def computed(self, images: int) -> None:
        """By this process, in a step."""
        self._images += images

    def end(self) -> None:
        """The window, and begin another one. Before the device is waited for, which it has to be before :meth:`rows`."""
        self._clock.end()

    def rows(self) -> Tensor:
        held = torch.cuda.memory_reserved(self._device) if self._device.type == "cuda" else 0
        rows = torch.zeros(self._size, 4, dtype=torch.float64)
        own = [self._images, self._clock.seconds(), self._process.memory_info().rss, held]
        rows[self._rank] = torch.tensor(own, dtype=torch.float64)
        self._images = 0
        return rows

    def gathered(self, rows: Tensor) -> None:
        """The rows of all ranks."""
        self._sums += rows[:, :2]
        self._memory = rows[:, 2:]

    def told(self, step: int) -> Iterator[RanksSampled]:
        """What they have come to since the last word, when it is time for one."""
        if (now := time.monotonic()) - self._said < EVERY:
            return
        images, seconds = self._sums.T
        speeds = (images / seconds.clamp(min=1e-9)).tolist()
        memory, held = self._memory.long().T.tolist()
        yield RanksSampled(
            step=step,
            images_per_second=tuple(float(f"{speed:.{DIGITS}g}") for speed in speeds),
            memory_bytes=tuple(memory),
            gpu_memory_bytes=tuple(held) if self._device.type == "cuda" else (),
        )
        self._sums.zero_()
        self._said = now
