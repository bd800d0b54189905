"""From a run's journal to its State: a thread reads and folds, and the screen looks at what it has come to. The history of a
long journal is read by a process of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import cache, history
from core.view.cache import History
from core.view.fold import fold
from core.view.linked import linked
from core.view.state import State
from core.view.summary import READ_WHOLE, opening, summarise, with_liveness

INTERVAL = 0.1
"""Seconds between two looks at a journal that had nothing new."""
CALM = 0.5
"""Of one that nobody writes: the trainer is gone."""
LIVENESS = 1.0
"""Seconds between two looks at the lock, and between two previews of a journal that has not been read to its end yet."""


class Look(NamedTuple):
    """What is known of a run at a moment. One value, so that a screen never sees half of a later one."""

    state: State
    alive: bool | None = None
    """Whether the trainer was alive before ``state`` was read (None: not looked)."""
    share: float = 1.0
    """How much of the journal has been read (0 to 1)."""


class Source(Protocol):
    """Where a screen has its State from."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    @property
    def state(self) -> State: ...

    @property
    def share(self) -> float:
        """How much has been read of what is to be shown (0 to 1)."""

    @property
    def looked(self) -> bool:
        """Whether it is known if the trainer is alive."""


class Feed:
    """Follows one run. ``start`` and ``stop`` it; look at ``state`` from the screen's timer."""

    def __init__(self, run: RunFolder, clock: Callable[[], float] = time.time) -> None:
        self.run = run
        self._clock = clock
        self._look = Look(opening(run))
        self._shown = self._look, self._look.state
        self._failure: Exception | None = None
        self._previewed, self._seen = -math.inf, -1
        """When a long journal was previewed, and how many bytes it had."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"feed-{run.name}", daemon=True)

    def start(self) -> None:
        """Once; again it does nothing."""
        if self._thread.ident is None:
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
        if look is not self._shown[0] or not self._shown[1].ended:  # an ended one stays the same object, which is soon compared
            self._shown = look, with_liveness(look.state, look.alive is not False, self._clock())
        return self._shown[1]

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
        long = _size(self.run) > READ_WHOLE
        whole = self._history() if long else History(0, opening(self.run))
        reader, state, looked = JournalReader(self.run.journal, whole.offset), whole.state, -math.inf
        while not self._stopping.is_set():
            alive = self._look.alive
            if reader.at_end and time.monotonic() - looked >= LIVENESS:
                alive, looked = self.run.alive(), time.monotonic()
                state = linked(state, self.run, time.time())
            if told := reader.read():
                state = fold(state, told)
            if reader.at_end:  # all that a trainer wrote before its end is folded before it counts as gone
                if (state, alive, 1.0) != self._look:
                    self._look = Look(state, alive)
                long = False
                self._stopping.wait(CALM if alive is False else INTERVAL)
            elif long:
                self._preview(reader.offset)
            else:
                self._look = Look(state, self._look.alive, _share(self.run, reader.offset))

    def _history(self) -> History:
        """All of a long journal, of which the beginning and the end are shown meanwhile; at once where it was kept."""
        kept = cache.load(self.run)
        if kept is not None and _size(self.run) - kept.offset <= READ_WHOLE:
            return kept
        self._look = self._look._replace(share=0.0)
        return history.read(self.run, self._preview, partial(self._begin, _size(self.run), self.run.alive()))

    def _begin(self, size: int, alive: bool, state: State) -> None:
        """Show what that process knows first, which would hold the screen up here while it is being loaded."""
        self._previewed, self._seen = time.monotonic(), size
        self._look = Look(state, alive, 0.0)

    def _preview(self, offset: int) -> bool:
        """Look at a journal that has been read up to ``offset``; whether to go on reading."""
        state, alive = self._look.state, self._look.alive
        if time.monotonic() - self._previewed >= LIVENESS:
            alive, self._previewed = self.run.alive(), time.monotonic()
            if (size := _size(self.run)) != self._seen:
                state, self._seen = summarise(self.run), size
        self._look = Look(state, alive, _share(self.run, offset))
        return not self._stopping.is_set()


def _share(run: RunFolder, offset: int) -> float:
    """How much has been read of a journal that has not been read whole."""
    return min(offset / max(1, _size(run)), 0.99)


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0
