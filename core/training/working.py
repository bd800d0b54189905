"""How long each of several processes works by itself: one that waits for another one would look as slow as that one.

A clock runs all the time but for that in which its process waits: whatever waits for others stops it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

MOST_MARKS = 65_536
"""That a GPU's clock keeps: a paused training meets twice a second, for days perhaps."""


class Clock(Protocol):
    def begin(self) -> None:
        """A stretch of time."""

    def end(self) -> None:
        """That stretch, and begin another one."""

    def seconds(self) -> float:
        """What the stretch that was ended last took, without waiting. Asked for when the device has done all of it."""

    def pause(self) -> None:
        """From here on this process waits for others."""

    def resume(self) -> None:
        """It works; nothing happens where it did all the time."""


@contextmanager
def waiting(clock: Clock) -> Iterator[None]:
    clock.pause()
    try:
        yield
    finally:
        clock.resume()


class HostClock:
    """Of a process that computes on the CPU, where whoever waits stands still."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self.begin()

    def begin(self) -> None:
        self._began, self._waited = time.monotonic(), 0.0
        self._waits_since: float | None = None

    def end(self) -> None:
        self.resume()
        self._seconds = time.monotonic() - self._began - self._waited
        self.begin()

    def seconds(self) -> float:
        return self._seconds

    def pause(self) -> None:
        if self._waits_since is None:
            self._waits_since = time.monotonic()

    def resume(self) -> None:
        if self._waits_since is not None:
            self._waited += time.monotonic() - self._waits_since
            self._waits_since = None


class GpuClock:
    """Of one that computes on a GPU: by marks in the GPU's own queue of work, so that nobody waits for it to look at the time.
    What the GPU is not given work for counts as working, since then its process is what is slow."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.begin()
        self._ended: list[torch.cuda.Event] = []

    def begin(self) -> None:
        """Marks stand by turns for where work begins and where it ends."""
        self._marks = [self._mark()]

    def end(self) -> None:
        self.pause()
        self._ended = self._marks
        self.begin()

    def seconds(self) -> float:
        self._ended[-1].synchronize()  # as a rule it is done
        pairs = zip(self._ended[::2], self._ended[1::2], strict=True)
        return sum(float(begun.elapsed_time(done)) for begun, done in pairs) / 1000

    def pause(self) -> None:
        if len(self._marks) % 2:
            self._marks.append(self._mark())

    def resume(self) -> None:
        if len(self._marks) > MOST_MARKS:
            self.begin()
        elif len(self._marks) % 2 == 0:
            self._marks.append(self._mark())

    def _mark(self) -> torch.cuda.Event:
        mark = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        mark.record(torch.cuda.current_stream(self._device))
        return mark


def clock_of(device: torch.device) -> Clock:
    return GpuClock(device) if device.type == "cuda" else HostClock()
