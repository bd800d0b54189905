"""A run given on to a tracker: as it is now, or until nobody trains it any more."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable
from typing import NamedTuple

from core.errors import UserError
from core.events.sessions import RunStarted
from core.run import journal
from core.run.folder import RunFolder, reference
from tui_trainer import trackers
from tui_trainer.forwarding.about import about
from tui_trainer.forwarding.forwarder import Forwarder, Tick
from tui_trainer.forwarding.place import Place, PlaceFile
from tui_trainer.trackers import Wanted
from tui_trainer.trackers._base import masked

INTERVAL = 0.5
"""Seconds between two looks at the journal."""
PATIENCE = 60.0
"""Seconds for another process to end that gives the same run on, once nobody trains it."""
LONGEST_PAUSE = 60.0
"""Seconds after which a tool that failed is tried again, at most."""
LAST_TRIES = 3
"""Once the run has ended."""

Say = Callable[[str], None]


def way_on(run: RunFolder, wanted: Wanted) -> str:
    """The command that gives a tool what it lacks of a run."""
    return f"tui-trainer log {reference(run)} --to {shlex.quote(str(wanted))}"


class Logged(NamedTuple):
    points: int
    """That the tool did not have."""
    hint: str


class Logging:
    """Of one run to one tool."""

    def __init__(self, run: RunFolder, wanted: Wanted, tick: Tick = lambda done: None) -> None:
        """Raises UserError for a place that cannot be."""
        self.run, self.wanted, self._tick = run, wanted, tick
        self._kind = trackers.tracker(wanted.kind)
        self.place = self._kind.resolved(run, wanted.place)
        self.file = PlaceFile(run, wanted.kind, self.place)
        self._points = 0

    def once(self, anew: bool = False) -> Logged:
        """What there is now. Raises UserError, also where the tool fails."""
        self.file.make_folder()
        with self.file.hold(2.0):
            if anew:
                self.file.write(Place())
            if not self._is_through():
                try:
                    self._session(follow=False)
                except UserError:
                    raise
                except Exception as error:
                    raise UserError(self.failure(error)) from error
        return Logged(self._points, self.file.read().hint)

    def follow(self, say: Say, anew: bool = False) -> Logged:
        """Until nobody trains the run. A tool that fails is tried again, with what it lacks; ``say`` is told. Raises UserError
        once the run has ended and it still fails."""
        if self._begun():
            self.file.make_folder()
            self._in_turn(say, anew)
            while self.run.alive() and not self.file.busy():  # it has been resumed meanwhile, and nobody else took it up
                self._in_turn(say)
        return Logged(self._points, self.file.read().hint)

    def failure(self, error: Exception) -> str:
        why = masked(next(iter(str(error).strip().splitlines()), "")) or type(error).__name__
        meanwhile = "the training goes on without it; " if self.run.alive() else ""
        return f"{self.wanted.kind} failed: {why}; {meanwhile}what it lacks it gets by: {way_on(self.run, self.wanted)}"

    def _begun(self) -> bool:
        """Wait until there is something to tell, so that nothing is made in a run that is removed because of a mistake."""
        while True:
            alive = self.run.alive()
            if journal.find(self.run.journal, RunStarted):
                return True
            if not alive:
                return False
            time.sleep(INTERVAL)

    def _in_turn(self, say: Say, anew: bool = False) -> None:
        """A session, once no other process gives this run on: one may still be busy with the session before."""
        if self.file.busy():
            say(f"another process gives this run to {self.wanted.kind}; this one goes on when that one ends")
        while self.file.busy() and self.run.alive():
            time.sleep(INTERVAL)
        # Of several that have waited one is the first; where the run has ended, who is still busy with it may hang.
        with self.file.hold(math.inf if self.run.alive() else PATIENCE):
            if anew:
                self.file.write(Place())
            if not self._is_through():
                self._tried(say)

    def _is_through(self) -> bool:
        place = self.file.read()
        return bool(place.ended) and not self.run.alive() and journal.next_seq(self.run.journal) <= place.seq + 1

    def _tried(self, say: Say) -> None:
        """A whole session; after a failure another one, after a pause that grows while nothing comes through for good."""
        failures, kept = 0, self.file.read().seq
        while True:
            try:
                return self._session(follow=True)
            except UserError:
                raise
            except Exception as error:
                before, kept = kept, self.file.read().seq
                failures = 1 if kept > before else failures + 1
                if failures > LAST_TRIES and not self.run.alive():
                    raise UserError(self.failure(error)) from error
                if failures == 1:
                    say(self.failure(error))
            time.sleep(min(2.0 ** (failures - 1), LONGEST_PAUSE))

    def _session(self, follow: bool) -> None:
        """From begin to close of the tool. Whatever its library raises comes through."""
        if not self.run.exists():
            raise UserError(f"{self.run.path}: the run is gone")
        tracker = self._kind(about(self.run), self.place)
        forwarder = Forwarder(self.run, tracker, self.file, self.file.read())
        try:
            forwarder.begin()
            while alive := self._given(forwarder):
                if not follow:
                    break
                time.sleep(INTERVAL)
            if not alive:
                forwarder.end()
        finally:
            self._points += forwarder.points
            tracker.close()

    def _given(self, forwarder: Forwarder) -> bool:
        """Whether somebody trains the run; looked at before the journal is, so that all of an ended run has been read."""
        alive = self.run.alive()
        forwarder.give(self._tick)
        return alive
