"""One run given on to one tracker, as far as its journal goes, and from there on when it has grown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from msgspec.structs import replace

from core.events.sessions import RunResumed, RunStarted
from core.run import journal
from core.run.folder import RunFolder
from core.run.journal import SLICE, JournalReader
from core.view.summary import summarise, with_liveness
from tui_trainer.forwarding.about import ending
from tui_trainer.forwarding.place import Place, PlaceFile
from tui_trainer.forwarding.translator import Back, Told, Translator, cuts
from tui_trainer.trackers._base import Point, Tracker, masked

Tick = Callable[[int], None]


class Forwarder:
    """Goes on where the place file says that the tool is. Whatever a tracker raises comes through: another Forwarder, with a
    new tracker, then loses nothing and tells nothing twice."""

    def __init__(self, run: RunFolder, tracker: Tracker, file: PlaceFile, place: Place) -> None:
        self.run, self.tracker = run, tracker
        self.points = 0
        """That the tool did not have, and has for certain."""
        self._file, self.place = file, place
        self._again = place
        """What has been given of events after its first one and of later steps is given again to a tracker that replaces."""
        self._reader = JournalReader(run.journal, place.offset)
        sessions = journal.find(run.journal, RunStarted, RunResumed)
        before = [session.classes for session in sessions if session.seq <= place.seq]
        self._translator = Translator(cuts(run.journal), before[-1] if before else ())

    def begin(self) -> None:
        """Open the run in the tool. Its id there is kept before more is told: should that fail, it goes on with this one."""
        self.tracker.rewinds = self.place.rewinds
        known = self.tracker.begin(self.place.id, self.place.step)
        self._keep(replace(self.place, id=known, ended="", hint=masked(self.tracker.hint)))
        if not self.place.described or (self.tracker.REPLACES and not self.place.step):  # it stands before the first step
            self.tracker.describe()
            self._keep(replace(self.place, described=True))

    def give(self, tick: Tick = lambda done: None) -> None:
        """All that there is now, in slices, so that memory is bounded and little is lost with this process."""
        while not self._reader.at_end:
            start, before = self._reader.whole, self.place.seq
            told = list(self._translator.told(self._reader.read(SLICE)))
            if given := self._passed_on(told, start):
                self.tracker.flush()
                self._keep(self.place)
                self.points += sum(isinstance(item, Point) and item.seq > before for item in given)
            tick(self._reader.offset)

    def end(self) -> None:
        """Tell how it stands with a run that nobody trains."""
        state = with_liveness(summarise(self.run), alive=False)
        self.tracker.ended(ending(state))
        self.tracker.flush()
        self._keep(replace(self.place, ended=state.status, seq=max(self.place.seq, self._translator.seq)))

    def _keep(self, place: Place) -> None:
        self.place = place
        self._file.write(place)

    def _passed_on(self, told: list[Told], start: int) -> list[Told]:
        """Those of them that the tool had to be told."""
        fresh = [item for item in told if self._take(item, start)]
        for kind, items in groupby(fresh, type):
            if kind is Point:
                self.tracker.scalars([item for item in items if isinstance(item, Point)])
            else:
                for item in items:
                    self._one(item)
        return fresh

    def _one(self, item: Told) -> None:
        if isinstance(item, Back):
            self.tracker.rewinds += 1
            self.tracker.taken_back(item.step, item.time)
        elif not isinstance(item, Point):
            self.tracker.confusion(item)

    def _take(self, item: Told, start: int) -> bool:
        """Whether the tool does not have it; it counts as given from here on."""
        if new := self._is_new(item):
            step, place = item.step + isinstance(item, Back), self.place
            rewinds = place.rewinds + isinstance(item, Back)
            self.place = replace(place, seq=max(place.seq, item.seq), rewinds=rewinds)
            if isinstance(item, Back) or step > place.step:
                self.place = replace(self.place, step=step, first=item.seq, offset=start)
        return new

    def _is_new(self, item: Told) -> bool:
        if isinstance(item, Back):
            return item.seq > self._again.seq and item.step < self.place.step
        if item.seq > self._again.seq:
            return True
        return self.tracker.REPLACES and item.seq >= self._again.first and item.step >= self._again.step
