"""What still holds of a journal: not what a resume or a rewind took back later, and of what was measured again after a kill one
measurement."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from core.events import EpochDone, Event, RunResumed, RunRewound, RunStarted, StepDone, ValidationDone

Measured: TypeAlias = StepDone | ValidationDone | EpochDone
Cut: TypeAlias = tuple[int, int]
"""Where something is taken back, as a number that rises from event to event, and to which step."""


def back_to(event: Event) -> int | None:
    """The step that everything later is taken back to."""
    if isinstance(event, (RunResumed, RunRewound)):
        return event.step
    return 0 if isinstance(event, RunStarted) else None


def cut(cuts: list[Cut], place: int, step: int) -> None:
    """Add one to those before it, so that both numbers rise: a cut that a later one goes behind says nothing."""
    while cuts and cuts[-1][1] >= step:
        cuts.pop()
    cuts.append((place, step))


class Holding:
    """Takes events in their order."""

    def __init__(self, cuts: Iterable[Cut]) -> None:
        """``cuts`` are all that are known of the journal, also of what is still to come."""
        self._cuts = list(cuts)
        self._measured = dict[str, tuple[int, str]]()
        """By split: step and checkpoint of the latest measurement."""

    def holds(self, place: int, event: Measured) -> bool:
        self._go_to(place)
        if event.step > (self._cuts[0][1] if self._cuts else math.inf):
            return False
        return not isinstance(event, ValidationDone) or self._is_new(event)

    def take_back(self, place: int, step: int) -> None:
        """A cut has come."""
        self._go_to(place)
        self._measured = {split: latest for split, latest in self._measured.items() if latest[0] <= step}

    def _go_to(self, place: int) -> None:
        while self._cuts and self._cuts[0][0] <= place:
            self._cuts.pop(0)

    def _is_new(self, event: ValidationDone) -> bool:
        before, self._measured[event.split] = self._measured.get(event.split), (event.step, event.checkpoint)
        return before != (event.step, event.checkpoint)
