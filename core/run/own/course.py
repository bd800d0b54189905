"""Where a program's training is, and what it has been asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Wanted(NamedTuple):
    """A checkpoint to be written between two steps."""

    reason: str
    name: str = ""
    command: str = ""
    """Id of the command that asked for it."""


@dataclass
class Course:
    step: int = 0
    epoch: int = 0
    """Under way, or done last; from 1."""
    epochs: int | None = None
    counted: bool = False
    """Whether the program asks for its epochs, so that their number can be changed."""
    rate: float | None = None
    """The learning rate that the program asked for last, without what it was told; None when it never asks."""
    factor: float = 1.0
    """Of every rate that it asks for."""
    paused: bool = False
    stopping: bool = False
    stops_after_epoch: bool = False
    discarded: bool = False
    reason: str = ""
    """Of the stop."""
    signal: int = 0
    wanted: list[Wanted] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        """Whether another epoch begins."""
        return not self.stopping and (self.epochs is None or self.epoch < self.epochs)

    def leave(self, reason: str, signal: int = 0) -> None:
        """End after the present step."""
        if not self.stopping:
            self.stopping, self.reason, self.signal = True, reason, signal
