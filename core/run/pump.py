"""From the queue to the journal: a thread of its own, so that training never waits for the disk."""

from __future__ import annotations

import errno
import queue
import threading
from pathlib import Path

from core.errors import TrainingError
from core.events import Event
from core.run.journal import JournalWriter


class Pump:
    """Everything that a worker says goes through ``put``, from whichever thread."""

    def __init__(self, journal: Path) -> None:
        self.failure: OSError | None = None
        self._writer = JournalWriter(journal)
        self._queue: queue.Queue[Event | threading.Event | None] = queue.Queue(maxsize=10_000)
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Raises TrainingError when the journal can no longer be written."""
        if self.failure:
            raise TrainingError("disk", f"the journal cannot be written: {self.failure.strerror}")
        self._queue.put(event)

    def sync(self) -> None:
        """Return once everything put so far is in the journal, safe from a power cut. Raises OSError when it is not."""
        written = threading.Event()
        self._queue.put(written)
        written.wait()
        if self.failure:
            raise self.failure

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._writer.close()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, threading.Event):
                    self._writer.sync()
                elif not self.failure:
                    self._writer.append(item)
            except OSError as error:
                self.failure = self.failure or error
            except Exception as error:  # the thread must live on, or whoever waits for it waits for ever
                self.failure = self.failure or OSError(errno.EINVAL, f"{type(error).__name__}: {error}")
            finally:
                if isinstance(item, threading.Event):
                    item.set()
