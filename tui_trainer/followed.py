"""Several runs followed at once, each by a feed of its own. No screen library here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from core.run.folder import RunFolder
from core.view.comparing import Subject, subject
from core.view.summary import READ_WHOLE, opening
from tui_trainer.feed import Feed


class Followed:
    """``start`` and ``stop`` it, and ``look`` from the screen's timer."""

    def __init__(self, runs: Sequence[RunFolder], clock: Callable[[], float] = time.time) -> None:
        self.runs = tuple(runs)
        self.feeds = tuple(Feed(run, clock) for run in runs)
        self._waiting = list(self.feeds)
        self.subjects: tuple[Subject, ...] = tuple(subject(run, opening(run)) for run in runs)
        """As last looked at."""

    def start(self) -> None:
        """Short journals are read at once, long ones one after the other, since each takes processes of its own."""
        busy = any(feed.share < 1 or not feed.looked for feed in self.feeds if feed not in self._waiting)
        for feed in tuple(self._waiting):
            long = _is_long(feed.run)
            if not (long and busy):
                feed.start()
                self._waiting.remove(feed)
            busy = busy or long

    def stop(self) -> None:
        for feed in self.feeds:
            feed.stop()

    def look(self) -> tuple[Subject, ...]:
        """As read so far; the same object while nothing is new."""
        if self._waiting:
            self.start()
        states = [feed.state for feed in self.feeds]
        if any(state is not known.state for state, known in zip(states, self.subjects, strict=True)):
            self.subjects = tuple(item._replace(state=state) for item, state in zip(self.subjects, states, strict=True))
        return self.subjects

    @property
    def share(self) -> float:
        """How much has been read of all of them."""
        return sum(feed.share if feed.looked else 0.0 for feed in self.feeds) / len(self.feeds)

    @property
    def looked(self) -> bool:
        return all(feed.looked for feed in self.feeds)


def _is_long(run: RunFolder) -> bool:
    try:
        return run.journal.stat().st_size > READ_WHOLE
    except OSError:
        return False
