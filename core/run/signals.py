"""What the system's signals do to a worker: the first asks it to save and leave, a second one ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from core.training.control import Leave

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Each of them means: save and leave (USR1 is what SLURM sends before it takes a node back)."""


class Interruption(BaseException):
    """Ends what the main thread is at. No Exception, so that no library on the way takes it for an error of its own."""


class Signals:
    """``number`` is that of the first signal, 0 until it comes. Where ``patient``, a second one changes nothing: a launcher
    hands on what its processes may have been sent as well."""

    def __init__(self) -> None:
        self.number = 0
        self.patient = False
        self._interrupts = False

    def catch(self) -> None:
        """From now on. The bytes come through a wakeup descriptor to a thread of their own, so that a second signal is obeyed
        even while the main thread is inside a long kernel, where Python's own handlers have to wait."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._take)
        os.register_at_fork(after_in_child=_as_before)
        threading.Thread(target=self._count, args=(reading,), name="signals", daemon=True).start()

    def check(self) -> None:
        """Raises Leave once a signal has come."""
        if self.number:
            raise Leave(f"signal {self.number}", self.number)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Within, the first signal ends whatever is being done, and Leave is raised. For what leaves nothing behind that is
        needed later, not even a lock."""
        try:
            self._interrupts = True
            self.check()
            yield
        except BaseException:  # whatever a library made of the interruption
            self.check()
            raise
        finally:
            self._interrupts = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within what is interrupted otherwise, a signal waits until this is done."""
        before, self._interrupts = self._interrupts, False
        yield
        self._interrupts = before
        self.check()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number
        if self._interrupts:
            self._interrupts = False
            raise Interruption

    def _count(self, reading: int) -> None:
        while data := os.read(reading, 1):
            if data[0] in SIGNALS:
                self.number = self.number or data[0]
                break
        while data := os.read(reading, 1):
            if data[0] in SIGNALS and not self.patient:
                os._exit(128 + data[0])


def _as_before() -> None:
    """A forked child would hand its own signals on to the trainer through the descriptor that they share."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
