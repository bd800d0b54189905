"""A worker's ears: commands from the inbox, signals from the system, and the end of the process it is tied to."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core import commands
from core.commands import Command
from core.events import CommandRejected, Event
from core.run import inbox
from core.run.effects import Effects
from core.run.folder import RunFolder

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Each of them means: save and leave (USR1 is what SLURM sends before it takes a node back)."""


class Listener:
    """The :class:`core.training.control.Control` of a worker process.

    A command's file is removed only once its answer is in the journal; until then ``_taken`` keeps it from being taken twice.
    """

    def __init__(self, run: RunFolder, put: Callable[[Event], None]) -> None:
        self.signal = 0
        self._inbox, self._put = run.inbox, put
        self._taken: dict[str, Path] = {}

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


def listen_to_signals(listener: Listener) -> None:
    """From now on the first signal asks for save-and-leave, a second one ends the process at once.

    The bytes come through a wakeup descriptor to a thread of their own, so that a second signal is obeyed even while the main
    thread is inside a long kernel, where Python's own handlers would have to wait.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    os.register_at_fork(after_in_child=_as_before)

    def work() -> None:
        while data := os.read(reading, 1):
            if data[0] not in SIGNALS:
                continue
            if listener.signal:
                os._exit(128 + data[0])
            listener.signal = data[0]

    threading.Thread(target=work, name="signals", daemon=True).start()


def _as_before() -> None:
    """A forked child would hand its own signals on to the trainer through the descriptor that they share."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def tie_to_parent(listener: Listener) -> None:
    """Take the end of standard input, a pipe held by the process that started this one, for SIGTERM."""

    def work() -> None:
        while os.read(0, 1):  # sys.stdin has a lock of its own, which would abort the interpreter at its end
            pass
        if not listener.signal:  # after a signal the parent's end is not a second one
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=work, name="tie", daemon=True).start()
