"""How a training is told things, whoever tells them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from core.commands import Command


class Control(Protocol):
    """Where commands come from."""

    @property
    def signal(self) -> int:
        """Of the signal that asked the run to save and leave, else 0."""

    def take(self) -> list[Command]:
        """Commands sent since the last call, oldest first. Called between any two steps, so it must be cheap."""

    def wait(self, seconds: float) -> None:
        """Sleep, but not much longer than until the next command or signal."""

    def interrupting(self) -> AbstractContextManager[None]:
        """Within, a signal ends at once whatever is being done, wherever that is, and :class:`Leave` is raised."""


class Leave(Exception):
    """The run was asked to leave; to save before, unless it is ``discarded``."""

    def __init__(self, reason: str, signal: int = 0, discarded: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.signal, self.discarded = reason, signal, discarded


class Moved(Exception):
    """The training is at another place: what was under way is void."""


class Refused(Exception):
    """Why a command cannot be carried out, in words."""
