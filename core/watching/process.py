"""``python -P -m core.watching.process ROOT PATH...`` reads what lies below the paths and tells it in run folders below ROOT,
until its standard input ends, or with ``--once`` until all has been read. It says on its standard output how many runs it has
found, once it has looked."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from core import events as e
from core.errors import UserError
from core.run import lock
from core.run.journal import JournalWriter
from core.watching.folders import LOCK, make_run
from core.watching.sources import MOST, Found, find
from core.watching.translator import Translator

INTERVAL = 0.1
"""Seconds between two looks at files that had nothing new."""
SEARCH = 2.0
"""Seconds between two searches for further files."""
LARGE = 1 << 20
"""Bytes from which on it is worth saying how far the reading is."""
SHARE = 20
"""A search takes at most one of so many parts of the time, however much there is to search."""
FEW = 8
"""Runs that are looked at so often; more of them less often."""
PROGRESS = 0.25
"""Seconds between two words on that."""
PHASE = "read"


class Watched:
    """One run of others, on its way into a run folder."""

    def __init__(self, found: Found, root: Path, held: ExitStack, once: bool) -> None:
        self.found, self.run = found, make_run(root, found)
        held.enter_context(self.run.hold())
        self._journal = held.enter_context(JournalWriter(self.run.journal))
        reader = found.reader()
        if once:
            reader.end()
        self._translator = Translator(self._journal, reader, found.name, str(found.path))
        self._reading, self._said = False, 0.0
        self._broken = False

    def poll(self) -> bool:
        """Whether anything was new. Raises OSError when that cannot be written; what goes wrong in reading is said."""
        if self._broken:
            return False
        reader = self._translator.reader
        before = reader.size - reader.behind
        try:
            new = self._translator.poll()
        except OSError:
            raise
        except Exception as error:  # a defect, which is to end neither the others nor what has been read
            self._broken = True
            self._translator.say(f"reading ended: {type(error).__name__}: {error}", "warning")
            return True
        self._say_how_far()
        return new or reader.size - reader.behind != before

    def _say_how_far(self) -> None:
        """As a phase, which every screen knows how to show."""
        size, behind = self._translator.reader.size, self._translator.reader.behind
        now = time.monotonic()
        if not self._reading and behind > LARGE:
            self._reading, self._said = True, now
            started = e.PhaseStarted(phase=PHASE, label="reading the files", total=size, unit="bytes")
            self._journal.extend([started])
        elif self._reading and behind and now - self._said > PROGRESS:
            self._said = now
            self._journal.extend([e.PhaseProgressed(phase=PHASE, done=size - behind, total=size, time=self._time)])
        elif self._reading and not behind:
            self._reading = False
            self._journal.extend([e.PhaseEnded(phase=PHASE, time=self._time)])

    @property
    def _time(self) -> float:
        """Of the newest row: that is how old what is shown is."""
        return self._translator.newest


class Watch:
    """All that is found below the paths, the newest first."""

    def __init__(self, root: Path, paths: Sequence[Path], held: ExitStack, once: bool) -> None:
        self._root, self._paths, self._held, self._once = root, paths, held, once
        self.watched: list[Watched] = []
        self._next_search = 0.0

    def search(self) -> None:
        begun = time.monotonic()
        if begun < self._next_search:
            return
        known = {item.found.path for item in self.watched}
        with suppress(UserError):  # what was there when it began is away for now
            for found in find(self._paths):
                if found.path not in known and len(self.watched) < MOST:
                    with suppress(UserError):  # one of which no run can be made hides none of the others
                        self.watched.append(Watched(found, self._root, self._held, self._once))
        self._next_search = time.monotonic() + max(SEARCH, SHARE * (time.monotonic() - begun))

    def poll(self) -> bool:
        new = [item.poll() for item in self.watched]  # every one of them
        return any(new)


def watch(root: Path, paths: Sequence[Path], once: bool, over: threading.Event) -> None:
    with ExitStack() as held:
        held.callback(lock.release, lock.take(root / LOCK, patience=1.0))
        found = Watch(root, paths, held, once)
        found.search()
        print(len(found.watched), flush=True)  # noqa: T201 - for the process that started this one
        while not over.is_set():
            new = found.poll()
            if once and not new:
                return
            if not new:
                over.wait(INTERVAL * max(1.0, len(found.watched) / FEW))
            found.search()


def main() -> None:
    root, *paths = map(Path, (word for word in sys.argv[1:] if word != "--once"))
    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(over,), daemon=True).start()
    once = "--once" in sys.argv[1:]
    watch(root, paths, once, over)
    if not once:  # also where the process that made it was killed
        shutil.rmtree(root, ignore_errors=True)


def _wait_for_end(over: threading.Event) -> None:
    """Of the process that started this one, whatever ended it."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    over.set()


if __name__ == "__main__":
    main()
