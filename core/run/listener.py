"""A worker's ears: commands from the inbox, signals from the system, and the end of the process it is tied to."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from core import commands
from core.commands import Command
from core.events import CommandRejected, Event
from core.run import inbox
from core.run.effects import Effects
from core.run.folder import RunFolder
from core.run.signals import Signals


class Listener:
    """The :class:`core.training.control.Control` of a worker process.

    A command's file is removed only once its answer is in the journal; until then ``_taken`` keeps it from being taken twice.
    """

    def __init__(self, run: RunFolder, put: Callable[[Event], None], signals: Signals) -> None:
        self._inbox, self._put, self._signals = run.inbox, put, signals
        self._taken: dict[str, Path] = {}

    @property
    def signal(self) -> int:
        return self._signals.number

    def interrupting(self) -> AbstractContextManager[None]:
        return self._signals.interrupting()

    def take(self) -> list[Command]:
        found: list[Command] = []
        for path in inbox.waiting(self._inbox):
            if path in self._taken.values():
                continue
            command = inbox.read(path)
            if isinstance(command, str) or command.id in self._taken:
                reason = command if isinstance(command, str) else "a command of that id is being carried out"
                self._put(CommandRejected(id=path.stem.partition("-")[2], command="", reason=reason))
                self._taken[path.name] = path
                self.answered(path.name)
            else:
                self._taken[command.id] = path
                found.append(command)
        return found

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.signal:
            if any(path not in self._taken.values() for path in inbox.waiting(self._inbox)):
                return
            time.sleep(0.02)

    def answered(self, command: str) -> None:
        """The answer is in the journal. A file that cannot be removed stays known, and is not taken again."""
        if path := self._taken.get(command):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                del self._taken[command]

    def refuse_all(self, reason: str, before: Effects | None = None) -> Iterator[Event]:
        """Answers to whatever waits, to be said like any other, so that a file goes only after its answer is in the journal.
        What a killed session had answered is only removed; what it had done is answered with that (``before``)."""
        for path in inbox.waiting(self._inbox):
            command = inbox.read(path)
            identity = path.stem.partition("-")[2] if isinstance(command, str) else command.id
            self._taken[identity] = path
            if before and identity in before.answered:
                self.answered(identity)
                continue
            answer = None if before is None or isinstance(command, str) else before.answer(command)
            name = "" if isinstance(command, str) else commands.name_of(command)
            yield answer or CommandRejected(id=identity, command=name, reason=reason)


def tie_to_parent(signals: Signals) -> None:
    """Take the end of standard input, a pipe held by the process that started this one, for SIGTERM."""

    def work() -> None:
        while os.read(0, 1):  # sys.stdin has a lock of its own, which would abort the interpreter at its end
            pass
        if not signals.number:  # after a signal the parent's end is not a second one
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=work, name="tie", daemon=True).start()
