"""The process that begins the runs of a queue, one a device. Its trainings outlive it, so that all it has to know is in the
queue's file and in the runs: whoever comes after it goes on where it was, and begins nothing twice."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

from msgspec.structs import replace

from core import recipe as recipes
from core.errors import UserError
from core.queue.changing import code_of, stop
from core.queue.entries import Entry, canonical, replaced, short, waiting
from core.queue.folder import QueueFolder, busy
from core.queue.standing import GONE, ended
from core.run import inbox, lock, session
from core.run.describe import machine
from core.run.folder import free_name
from core.sweep.watched import WatchedRun
from core.view.words import count

INTERVAL = 0.5
"""Seconds between two looks."""
MOST_CUTS = 3
"""So often a trainer may be gone before its run has come any further: what is wrong then is not the machine."""
FULL = (errno.ENOSPC, errno.EDQUOT)
"""What room can be made for meanwhile: not all that waits is to fail of it."""
Start: TypeAlias = Callable[..., object]
"""As :func:`core.run.session.start`."""


def places(devices: Sequence[str]) -> list[str]:
    """One for each device that was named; else each CUDA device of this machine, or the best that it has. Raises UserError."""
    if devices:
        for name in devices:
            session.check_device(name)
        return list(dict.fromkeys(canonical(name) or places(())[0] for name in devices))
    found = machine().devices
    return [name for name in found if name.startswith("cuda")] or list(found[:1])


class Runner:
    """``go`` begins what waits in a queue, until nothing is left that it may begin, or until ``leave`` is called."""

    def __init__(
        self, queue: QueueFolder, devices: Sequence[str] = (), start: Start = session.start, watch: bool = False
    ) -> None:
        """Only on ``devices``, where some are given; ``watch``: it waits for more."""
        self.queue, self._given, self._start, self._watch = queue, tuple(devices), start, watch
        self.signal = 0
        """Of the first ``leave``."""
        self._places: list[str] = []
        self._watched = dict[str, WatchedRun]()
        self._known = set[str]()
        """Entries that have been spoken of."""
        self._trouble = ""
        self._lock: int | None = None

    def leave(self, number: int) -> None:
        """May be called by a signal's handler."""
        self.signal = self.signal or number

    def go(self) -> Iterator[str]:
        """What happens, a line each. Raises UserError, also when another process does the same."""
        with self._conducting():
            self._places = places(self._given)
            while not self.signal and not self._is_over():
                try:
                    yield from self._turn()
                    self._trouble = ""
                except OSError as error:  # a full disk, say; the trainings go on, and room may be made
                    yield from self._tell_trouble(error)
                self._sleep()
            yield from self._farewell()

    @contextmanager
    def _conducting(self) -> Iterator[None]:
        with self.queue.edit():
            try:
                self._lock = lock.take(self.queue.runner_lock, patience=0.5)
            except BlockingIOError:
                raise busy(self.queue) from None
        try:
            yield
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            lock.release(self._lock)
            self._lock = None

    def _is_over(self) -> bool:
        """The lock is given up before anybody else can add to the queue: who does then sees that nobody runs it."""
        if self._watch:
            return False
        with suppress(OSError), self.queue.edit() as entries:
            if not any(entry.state == "training" or self._place_of(entry, entries) for entry in entries):
                self._let_go()
                return True
        return False

    def _sleep(self) -> None:
        until = time.monotonic() + INTERVAL
        while not self.signal and time.monotonic() < until:
            time.sleep(0.05)

    def _tell_trouble(self, error: OSError) -> Iterator[str]:
        words = f"{error.filename or self.queue.file}: {error.strerror}; tried again until it is mended"
        if words != self._trouble:
            self._trouble = words
            yield words

    def _farewell(self) -> Iterator[str]:
        entries = self.queue.read()
        trained, left = sum(entry.state == "training" for entry in entries), len(waiting(entries))
        if not (self._known or trained or left):
            yield f"nothing waits in the queue of {self.queue.runs}"
        if self.signal and trained:
            yield f"{count(trained, 'training')} {'goes' if trained == 1 else 'go'} on"
        if left:
            why = "" if self.signal else f", for other devices than {', '.join(self._places)}"
            yield f"{count(left, 'entry')} still {'waits' if left == 1 else 'wait'}{why}"

    # Which entry, and where

    def _turn(self) -> Iterator[str]:
        for entry in self.queue.read():
            if entry.state == "training" and not self.signal:
                yield from self._look(entry)
        while not self.signal and (chosen := self._next()):
            yield from self._begin(chosen)

    def _next(self) -> Entry | None:
        """The first that waits and whose device is free; it counts as trained from here on, also when this process is killed
        before it is."""
        with self.queue.edit() as entries:
            for entry in waiting(entries):
                if (place := self._place_of(entry, entries, free=True)) is not None:
                    chosen = replace(entry, state="training", device=place, began=time.time(), name=self._name(entry, entries))
                    entries[:] = replaced(entries, chosen)
                    return chosen
        return None

    def _place_of(self, entry: Entry, entries: Sequence[Entry], free: bool = False) -> str | None:
        """Where an entry that waits may be trained, where there is such a device, and now, where it is to be ``free``."""
        if entry.state != "waiting":
            return None
        wanted = entry.wanted_device
        known = self._places if self._given or not wanted else [*self._places, wanted]
        taken = {other.device for other in entries if other.state == "training"} if free else set()
        return next((place for place in known if place not in taken and wanted in ("", place)), None)

    def _name(self, entry: Entry, entries: Sequence[Entry]) -> str:
        """Its own, unless somebody has taken that by now."""
        name, number = entry.name, 1
        others = {other.name for other in entries if other.id != entry.id and not other.ended}
        while name in others or os.path.lexists(self.queue.runs / name):
            number += 1
            name = free_name(f"{entry.name[:90]}-{number}", self.queue.runs)
        return name

    # One entry that is trained

    def _begin(self, entry: Entry) -> Iterator[str]:
        self._known.add(entry.id)
        yield f"{entry.name}: begins on {entry.device} (recipe {entry.recipe_name}, seed {entry.seed})"
        yield from self._train(entry)

    def _train(self, entry: Entry) -> Iterator[str]:
        """Begin its run, or go on with it."""
        run = self.queue.run(entry)
        try:
            if not entry.run and not self.queue.is_run_of(entry):
                self._create(entry)
            if not entry.run:
                entry = self._write(replace(entry, run=run.identity()))
            self._start(run, device=entry.device)
        except UserError as error:
            if isinstance(cause := error.__context__, OSError) and cause.errno in FULL:
                raise cause from None  # as the entry stands now it is begun again
            if not run.alive():  # else a person was faster to go on with it
                yield from self._settle(replace(entry, state="failed", over=time.time(), note=short(str(error))))

    def _create(self, entry: Entry) -> None:
        recipe = recipes.from_table(entry.recipe, f"{self.queue.file}: {entry.name}")
        session.create(recipe, self.queue.runs, entry.name, entry.threads, code_of(entry))

    def _look(self, entry: Entry) -> Iterator[str]:
        run = self.queue.run(entry)
        if not self.queue.is_run_of(entry):
            yield from self._without_run(entry)
            return
        if entry.id not in self._watched:
            self._watched[entry.id] = WatchedRun(run, "", None)
            if entry.id not in self._known and run.alive():
                self._known.add(entry.id)
                yield f"{entry.name}: is trained on {entry.device}"
        watched = self._watched[entry.id]
        if not watched.look():
            if entry.ending and run.alive() and not inbox.waiting(run.inbox):
                stop(run)  # once more: a worker refuses what was sent before it was ready
            return
        over = ended(entry, watched)
        yield from self._settle(over) if over else self._go_on(entry, watched)

    def _without_run(self, entry: Entry) -> Iterator[str]:
        """It was not there yet when the process before this one was killed; or a person has taken it away."""
        if entry.run:
            yield from self._settle(replace(entry, state="failed", over=time.time(), note=GONE, ending=False))
        elif entry.ending:
            yield from self._settle(replace(entry, state="cancelled", over=time.time(), ending=False))
        else:
            with self.queue.edit() as entries:
                entry = replace(entry, name=self._name(entry, entries))
                entries[:] = replaced(entries, entry)
            yield from self._begin(entry)

    def _go_on(self, entry: Entry, watched: WatchedRun) -> Iterator[str]:
        further = watched.state.step > entry.step
        entry = replace(entry, step=max(watched.state.step, entry.step), cut=1 if further else entry.cut + 1)
        why = watched.verdict()[1]
        if entry.cut > MOST_CUTS:
            why = f"its trainer was gone {entry.cut} times before it came any further: {why}"
            yield from self._settle(replace(entry, state="failed", over=time.time(), note=short(why)))
            return
        yield f"{entry.name}: was cut off ({why}); goes on at step {entry.step} or before, on {entry.device}"
        yield from self._train(self._write(entry))

    def _settle(self, entry: Entry) -> Iterator[str]:
        self._write(entry)
        self._known.add(entry.id)
        self._watched.pop(entry.id, None)
        yield f"{entry.name}: {entry.state}{entry.note and f': {entry.note}'}"

    def _write(self, entry: Entry) -> Entry:
        """What it has come to; a person may have cancelled it meanwhile."""
        with self.queue.edit() as entries:
            asked = any(other.id == entry.id and other.ending for other in entries)
            entry = replace(entry, ending=asked and not entry.ended)
            entries[:] = replaced(entries, entry)
        return entry
