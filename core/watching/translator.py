"""From the rows of one reader to our own events, in the journal of a run folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core import events as e
from core.events import Event, Metrics, from_number
from core.run.journal import JournalWriter
from core.view.state import KEPT_METRICS
from core.watching.axis import LAST_DATE
from core.watching.epochs import Epochs
from core.watching.names import Names
from core.watching.rows import Again, Item, Note, Reader, Row

LARGEST_JOURNAL = 2 << 30
"""Bytes; what comes after that is not taken in any more."""
MOST_REWINDS = 1000
LONGEST_PAUSE = 3600.0
"""Seconds between two rows that may have been training."""
KERAS_EPOCH = "epoch_"
"""Keras counts epochs as steps in what it names so."""
ALL = -1
"""The step to go back to so that nothing is left."""
SHARE = "accuracy"
"""Of what is named so values go from 0 to 1 here."""


@dataclass
class Reached:
    """How far the run has been told."""

    step: int = 0
    epoch: int = 0
    time: float = 0.0


class Translator:
    """``poll`` it, and it tells what is new. ``name`` is the run's, ``place`` where its files lie."""

    def __init__(self, journal: JournalWriter, reader: Reader, name: str, place: str) -> None:
        self.reader = reader
        self._journal, self._name, self._place = journal, name, place
        self._percent = set[str]()
        """Tags of shares that are in per cent in the file."""
        self._begun = False
        self._left_out, self._rewinds, self._full = 0, 0, False
        self._forget()

    def _forget(self) -> None:
        self._names, self._epochs, self._reached = Names(), Epochs(), Reached()
        self._last: dict[str, int] = {}
        """By tag the step of its latest value."""

    @property
    def newest(self) -> float:
        """Unix seconds of the latest row; 0 before the first."""
        return self._reached.time

    def poll(self) -> bool:
        """Whether anything was new. Raises OSError when the journal cannot be written."""
        if self._full:
            return False
        items = self.reader.read()
        told = list(self._told(items))
        self._journal.extend(told)
        self._full = self._journal.size > LARGEST_JOURNAL
        if self._full:
            self.say(f"more than {LARGEST_JOURNAL >> 30} GiB have been read; what comes now is left out", "warning")
        return bool(told)

    def say(self, text: str, level: str = "info") -> None:
        self._journal.extend([self._message(text, level)])

    def _told(self, items: Sequence[Item]) -> Iterator[Event]:
        if self._in_per_cent(items):
            self.reader.restart()
            yield from self._begin_again("an accuracy is in per cent")
            return
        for item in items:
            match item:
                case Row():
                    yield from self._row(item if 0 < item.time < LAST_DATE else item._replace(time=0.0))
                case Note():
                    yield self._message(item.text, "warning" if item.warning else "info")
                case Again():
                    yield from self._begin_again(item.reason)

    def _message(self, text: str, level: str) -> Event:
        return e.MessageLogged(level="warning" if level == "warning" else "info", text=text, time=self._reached.time)

    def _in_per_cent(self, items: Sequence[Item]) -> bool:
        """Learns which shares are; whether one was told otherwise already."""
        late = False
        for item in items:
            for tag, value in item.values.items() if isinstance(item, Row) else ():
                if value > 1 and tag not in self._percent and self._named(tag).endswith(SHARE):
                    self._percent.add(tag)
                    late = late or tag in self._last
        return late

    def _named(self, tag: str) -> str:
        """Empty where there are too many names already."""
        return self._names(tag) if tag in self._names or len(self._names) < KEPT_METRICS else ""

    def _begin_again(self, reason: str) -> Iterator[Event]:
        if self._last:
            rewound = e.RunRewound(step=ALL, checkpoint="the beginning", reason=reason, time=self._reached.time)
            self._forget()
            yield rewound

    def _row(self, row: Row) -> Iterator[Event]:
        names = {tag: name for tag in row.values if (name := self._named(tag))}
        values = row.values if len(names) == len(row.values) else {tag: row.values[tag] for tag in names}
        if values is not row.values:
            yield from self._leave_out()
        if not self._begun:
            yield self._started(row)
        if (back := self._goes_back(row.step, values)) is not None:
            if self._rewinds >= MOST_REWINDS:
                return
            yield from self._back(back, row.time)
        epoch = self._epochs.number(self._epoch_of(row, values))
        metrics = {name: from_number(self._scaled(tag, values[tag])) for tag, name in names.items()}
        self._last.update(dict.fromkeys(values, row.step))
        yield from self._events(row, epoch, metrics)
        yield from self._epochs.take(row.step, epoch, metrics, row.time)
        self._reached = Reached(max(row.step, self._reached.step), epoch, row.time or self._reached.time)

    def _scaled(self, tag: str, value: float) -> float:
        return value / 100 if tag in self._percent else value

    def _leave_out(self) -> Iterator[Event]:
        if not self._left_out:
            yield self._message(f"only the first {KEPT_METRICS} scalars are shown", "warning")
        self._left_out = 1

    def _started(self, row: Row) -> Event:
        self._begun = True
        return e.RunStarted(name=self._name, origin=self.reader.LABEL, data=self._place, time=row.time)

    def _goes_back(self, step: int, values: dict[str, float]) -> int | None:
        """The step before which the run began again, where a scalar is told anew of an earlier step than its latest. What
        others write at steps of their own goes back nowhere."""
        return step - 1 if any(self._last.get(tag, step) > step for tag in values) else None

    def _back(self, step: int, time: float) -> Iterator[Event]:
        self._rewinds += 1
        self._epochs.back_to(step)
        self._last = {tag: min(last, step) for tag, last in self._last.items()}
        self._reached = Reached(step, 0, time)
        yield e.RunRewound(step=step, checkpoint=f"step {step + 1}", reason="the files begin anew there", time=time)
        if self._rewinds == MOST_REWINDS:
            yield self._message("its steps go back again and again; what goes back from here on is left out", "warning")

    def _epoch_of(self, row: Row, values: dict[str, float]) -> float | None:
        if row.epoch is not None:
            return row.epoch
        if any(tag.rpartition("/")[2].startswith(KERAS_EPOCH) for tag in values):
            return row.step
        tags = (tag for tag in values if tag.rpartition("/")[2].casefold() == "epoch")
        return next((values[tag] for tag in tags), None)

    def _events(self, row: Row, epoch: int, metrics: Metrics) -> Iterator[Event]:
        if epoch > self._reached.epoch:
            yield e.EpochStarted(epoch=epoch, step=row.step, time=row.time)
        steps = max(row.step - self._reached.step, 0)
        seconds = self._seconds(row) if steps else 0.0
        yield e.StepDone(step=row.step, epoch=epoch, steps=steps, seconds=seconds, metrics=metrics, time=row.time)

    def _seconds(self, row: Row) -> float:
        """How long the steps took, where that is known."""
        passed = row.time - self._reached.time
        known = self._reached.time and not row.first and math.isfinite(passed) and 0 < passed < LONGEST_PAUSE
        return passed if known else 0.0
