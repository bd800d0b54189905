"""The progress of reading and fetching data, told as events."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.events import Event, PhaseEnded, PhaseProgressed, PhaseStarted


class Phases:
    """A :data:`core.data.Progress`. A phase may begin anywhere (a download that goes on), its total may be unknown (0)."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        self._put = put
        self._phase = ""
        self._started = 0.0

    def __call__(self, phase: str, done: int, total: int, unit: str) -> None:
        if phase != self._phase:
            self._end()
            self._phase, self._started = phase, time.monotonic()
            self._put(PhaseStarted(phase=phase, total=total, unit=unit))
        if total and done >= total:
            self._end()
        elif done:
            self._put(PhaseProgressed(phase=phase, done=done, total=total))

    def _end(self) -> None:
        """What is followed by something else is over, also where it could not say how long it would be."""
        if self._phase:
            self._put(PhaseEnded(phase=self._phase, seconds=time.monotonic() - self._started))
            self._phase = ""
