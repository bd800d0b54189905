"""A program's time with its run, from the lock to the last event: the journal, the inbox and the signs of life of a worker."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import Protocol

from core import checkpoint
from core.commands import Command
from core.errors import TrainingError, UserError
from core.events import CheckpointSaved, CommandAccepted, CommandRejected, Event
from core.files import open_to_append
from core.run import disk, effects
from core.run.folder import RunFolder, leads_to
from core.run.listener import Listener
from core.run.pulse import Pulse
from core.run.pump import Pump
from core.run.resume import check_journal
from core.run.signals import Signals


class Place(Protocol):
    """What a sign of life tells."""

    def beat(self) -> tuple[int, float]:
        """The step, and for how many seconds the present one has lasted."""


class Session:
    """A training is not ended for want of its journal: when that is lost for good, one line says so, and no more is kept."""

    def __init__(self, run: RunFolder, place: Place, signals: Signals) -> None:
        self.run, self._place = run, place
        self._closing = contextlib.ExitStack()
        self._closing.enter_context(run.hold())
        try:
            check_journal(run)
            self.reserve = disk.Reserve(run.reserve)
            self.reserve.make()
        except UserError:
            self._closing.close()
            raise
        self._lock, self._answers, self._lost, self._closed = run.lock.stat(), list[str](), False, False
        self._pump = Pump(run.journal, self.reserve.release)
        self._listener = Listener(run, self.say, signals)
        self._clear_up()
        self.pulse = Pulse(self._pump.put, self._beat)

    def say(self, event: Event) -> None:
        if self._closed:
            return
        try:
            self._pump.put(event)
        except TrainingError as error:
            if not self._lost:
                warn(f"{error.reason}: the console sees nothing more of this run; training goes on")
            self._lost = True
        if isinstance(event, CheckpointSaved):
            self.reserve.restore()
        if isinstance(event, (CommandAccepted, CommandRejected)):
            self._answers.append(event.id)

    def take(self) -> list[Command]:
        return self._listener.take()

    def wait(self, seconds: float) -> None:
        """Not much longer than until the next command or signal."""
        self._listener.wait(seconds)

    def settle(self) -> None:
        """Remove the files of commands whose answers are in the journal for good."""
        if self._answers:
            with contextlib.suppress(OSError):
                self.sync()
                while self._answers:
                    self._listener.answered(self._answers.pop(0))

    def sync(self) -> None:
        """Raises OSError where the journal is not safe."""
        self._pump.sync()

    def log(self, error: BaseException) -> None:
        """Into the log that a worker would have, for whoever looks at the run later."""
        with contextlib.suppress(OSError), os.fdopen(open_to_append(self.run.log), "a", errors="backslashreplace") as log:
            traceback.print_exception(error, file=log)

    def close(self, last: Event) -> None:
        self.pulse.close()
        self.reserve.release()
        self.say(last)
        if not self._pump.trouble:
            for answer in self._listener.refuse_all("the session has ended"):
                self.say(answer)
        self.settle()
        self._closed = True
        self._pump.close()
        self._closing.close()

    def _clear_up(self) -> None:
        checkpoint.sweep(self.run.checkpoints)
        for answer in self._listener.refuse_all("sent before this session", effects.known(self.run)):
            self.say(answer)
        self.settle()

    def _beat(self) -> tuple[int, float]:
        if not leads_to(self.run.lock, self._lock):
            self._pump.fail(disk.gone(self.run.path))
        return self._place.beat()


def warn(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"tui-trainer: {text}", file=sys.stderr)  # noqa: T201
