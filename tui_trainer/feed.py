"""From a run's journal to its State, without ever holding the screen up: a thread reads and decodes, the screen folds what
has come as long as its budget lasts."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from core.events import Event
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view.fold import fold
from core.view.state import State
from core.view.summary import READ_WHOLE, opening, summarise, with_liveness

BUDGET = 0.03
"""Seconds of folding between two frames."""
INTERVAL = 0.1
"""Seconds between two looks at a journal that had nothing new."""
LIVENESS = 1.0
"""Seconds between two looks at the lock."""
WAITING = 16
"""Slices that may wait to be folded; the reading thread rests when there are so many."""


class Batch(NamedTuple):
    """Events in their order, and whether the trainer was alive before they were read (None: not looked)."""

    events: list[Event]
    alive: bool | None
    share: float
    """How much of the journal has been read (0 to 1)."""


class Feed:
    """Follows one run. ``start`` and ``stop`` it; call ``drain`` from the screen's timer."""

    def __init__(self, run: RunFolder, clock: Callable[[], float] = time.time) -> None:
        self.run = run
        self.share = 1.0
        self._clock = clock
        self._folded = opening(run)
        self._preview: State | None = None
        self._alive: bool | None = None
        self._batches: queue.Queue[Batch] = queue.Queue(WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"feed-{run.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; the thread ends by itself."""
        self._stopping.set()

    def drain(self, budget: float = BUDGET) -> State:
        """Fold what has come, for ``budget`` seconds or one slice at the least, and return the State as it stands now."""
        end = time.perf_counter() + budget
        while True:
            try:
                batch = self._batches.get_nowait()
            except queue.Empty:
                break
            self._take(batch)
            if time.perf_counter() >= end:
                break
        return self.state

    @property
    def state(self) -> State:
        """As folded so far; of a long journal its beginning and end until all of it has been read."""
        state = self._preview if self.share < 1 and self._preview is not None else self._folded
        return with_liveness(state, self._alive is not False, self._clock())

    @property
    def looked(self) -> bool:
        """Whether the lock has been looked at, so that ``lost`` can be told from ``running``."""
        return self._alive is not None

    def _take(self, batch: Batch) -> None:
        self._folded = fold(self._folded, batch.events)
        self.share = batch.share
        if batch.alive is not None:
            self._alive = batch.alive

    def _follow(self) -> None:
        if _size(self.run) > READ_WHOLE:
            self.share, self._preview = 0.0, summarise(self.run)
        reader, looked = JournalReader(self.run.journal), 0.0
        while not self._stopping.is_set():
            alive = None
            if reader.at_end and time.monotonic() - looked >= LIVENESS:
                alive, looked = self.run.alive(), time.monotonic()
            events = reader.read()
            if not reader.at_end:
                alive = None  # all that a trainer wrote before its end is folded before it counts as gone
            if events or alive is not None:
                self._put(Batch(events, alive, 1.0 if reader.at_end else reader.offset / max(1, _size(self.run))))
            if reader.at_end:
                self._stopping.wait(INTERVAL)

    def _put(self, batch: Batch) -> None:
        while not self._stopping.is_set():
            try:
                self._batches.put(batch, timeout=INTERVAL)
            except queue.Full:
                continue
            return


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0
