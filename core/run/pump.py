"""From the queue to the journal: a thread of its own, so that training never waits for the disk."""

from __future__ import annotations

import errno
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.events import DeviceSampled, Event, Heartbeat, PhaseProgressed, RanksSampled
from core.run import disk
from core.run.journal import JournalWriter

RETRY = 2.0
"""Seconds between two attempts to write what the disk did not take."""
MOST_WAITING = 10_000
"""Events; a training that waits for the disk says less, unless it is told ever new things."""
FLEETING = (Heartbeat, DeviceSampled, RanksSampled, PhaseProgressed)
"""True for a moment only: not kept while the journal cannot be written."""


class Sync:
    """Asks whether everything put before it is safe, and holds the answer."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.error: OSError | None = None


class Pump:
    """Everything that a worker says goes through ``put``, from whichever thread.

    What the disk does not take stays in memory, in order, and is tried again. ``make_room`` is called when the disk is full
    and says whether there is more room now.
    """

    def __init__(self, journal: Path, make_room: Callable[[], bool] = lambda: False) -> None:
        self.failure: OSError | None = None
        """Why the journal will never be written again."""
        self._make_room = make_room
        self._refused: OSError | None = None
        self._waiting = deque[Event]()
        self._writer = JournalWriter(journal)
        self._queue: queue.Queue[Event | Sync | None] = queue.Queue(maxsize=10_000)
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> OSError | None:
        """Why the journal cannot be written now."""
        return self.failure or self._refused

    @property
    def unwritten(self) -> int:
        """How many events the disk has not taken."""
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Raises TrainingError when the journal will never be written again."""
        if self.failure:
            raise disk.lasting(self.failure)
        if not (self._refused and isinstance(event, FLEETING)):
            self._queue.put(event)

    def sync(self) -> None:
        """Return once everything put so far is in the journal, safe from a power cut. Raises OSError when it is not; what
        waits is tried once more before."""
        request = Sync()
        self._queue.put(request)
        request.answered.wait()
        if request.error:
            raise request.error

    def fail(self, error: OSError) -> None:
        """Give the journal up."""
        self.failure = self.failure or error

    def close(self) -> None:
        """Write what waits, as far as the disk takes it."""
        self._queue.put(None)
        self._thread.join()
        self._writer.close()

    def _work(self) -> None:
        while (item := self._next()) is not None:
            if isinstance(item, Event):
                self._waiting.append(msgspec.structs.replace(item, time=item.time or time.time()))
            self._write()
            if isinstance(item, Sync):
                item.error = self.trouble or self._synced()
                item.answered.set()
        self._write()

    def _next(self) -> Event | Sync | None:
        try:
            return self._queue.get(timeout=RETRY if self._waiting else None)
        except queue.Empty:
            return Sync()  # nobody waits for its answer, but what waits is tried again

    def _write(self) -> None:
        """Append what waits, the oldest first, as far as the disk takes it."""
        try:
            while self._waiting and not self.failure:
                self._writer.append(self._waiting[0])
                self._waiting.popleft()
            self._refused = None
        except OSError as error:
            self._refuse(error)
        except Exception as error:  # the thread must live on, or whoever waits for it waits for ever
            self.fail(OSError(errno.EINVAL, f"{type(error).__name__}: {error}"))

    def _refuse(self, error: OSError) -> None:
        if error.errno in disk.FULL and self._make_room():
            self._write()
        elif disk.passes(error) and self.unwritten < MOST_WAITING:
            self._refused = error
        else:
            self.fail(error)

    def _synced(self) -> OSError | None:
        try:
            self._writer.sync()
        except OSError as error:
            return error
        return None
