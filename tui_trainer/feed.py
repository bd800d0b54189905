"""From a run's journal to its State: a thread reads and folds, and the screen looks at what it has come to."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view.fold import fold
from core.view.state import State
from core.view.summary import READ_WHOLE, opening, summarise, with_liveness

INTERVAL = 0.1
"""Seconds between two looks at a journal that had nothing new."""
CHUNK = 1 << 20
"""Bytes read at a time: few enough that the screen, which has to wait while they are decoded, waits some milliseconds."""
LIVENESS = 1.0
"""Seconds between two looks at the lock, and between two previews of a journal that has not been read to its end yet."""


class Look(NamedTuple):
    """What is known of a run at a moment. One value, so that a screen never sees half of a later one."""

    state: State
    alive: bool | None = None
    """Whether the trainer was alive before ``state`` was read (None: not looked)."""
    share: float = 1.0
    """How much of the journal has been read (0 to 1)."""


class Feed:
    """Follows one run. ``start`` and ``stop`` it; look at ``state`` from the screen's timer."""

    def __init__(self, run: RunFolder, clock: Callable[[], float] = time.time) -> None:
        self.run = run
        self._clock = clock
        self._look = Look(opening(run))
        self._failure: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"feed-{run.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; the thread ends by itself."""
        self._stopping.set()

    @property
    def state(self) -> State:
        """As read so far; of a long journal its beginning and end until all of it has been read. Raises what went wrong in
        reading."""
        if self._failure is not None:
            raise self._failure
        look = self._look
        return with_liveness(look.state, look.alive is not False, self._clock())

    @property
    def share(self) -> float:
        return self._look.share

    @property
    def looked(self) -> bool:
        """Whether the lock has been looked at, so that ``lost`` can be told from ``running``."""
        return self._look.alive is not None

    def _work(self) -> None:
        try:
            self._follow()
        except Exception as error:  # a thread's error would go unseen, and the screen would stand still
            self._failure = error

    def _follow(self) -> None:
        reader, state, preview = JournalReader(self.run.journal), opening(self.run), State()
        long, end, looked, alive = _size(self.run) > READ_WHOLE, reader.at_end, -math.inf, self._look.alive
        while not self._stopping.is_set():
            seen = alive
            if (long or end) and time.monotonic() - looked >= LIVENESS:
                seen, looked = self.run.alive(), time.monotonic()
                preview = summarise(self.run) if long else preview
            state = fold(state, reader.read(CHUNK))
            end = reader.at_end
            long = long and not end
            alive = seen if long or end else alive  # what a trainer wrote before its end is folded before it counts as gone
            self._look = Look(preview if long else state, alive, 1.0 if end else reader.offset / max(1, _size(self.run)))
            if end:
                self._stopping.wait(INTERVAL)


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0
