"""The processes that give a run to other tools while it is trained: each tracker has one of its own, which outlives whoever
started it, so that none of them holds up the training or its console."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from core.errors import UserError
from core.files import last_line, open_to_append
from core.run import session
from core.run.folder import RunFolder
from tui_trainer import trackers
from tui_trainer.forwarding.following import Logging, way_on
from tui_trainer.forwarding.place import PlaceFile
from tui_trainer.trackers import Wanted
from tui_trainer.worker_log import note

if TYPE_CHECKING:
    from core.data import Progress

COMMAND = (sys.executable, "-P", "-m", "tui_trainer", "log")
TO = "TUI_TRAINER_LOG_TO"
"""Where to, for that command: other people of the machine see what a process is called with, and it may hold a password."""
LONGEST_WAIT, SHORT_WAIT = 60.0, 5.0
"""Seconds for what is still to be given on after the end of a training: where all ends with this command, as in CI, and where
the processes go on without it."""
PAUSE, SILENT = 0.05, 1.0
"""Seconds between two looks at those that are waited for, and until it is said that they are."""

T = TypeVar("T")


class Follower(NamedTuple):
    wanted: Wanted
    process: subprocess.Popen[bytes]
    file: PlaceFile
    before: int
    """Bytes of its log from earlier sessions."""


class Waited(NamedTuple):
    """A line each."""

    troubles: list[str]
    """Of those that have not got all of the run."""
    hints: list[str]
    """How the others are looked at."""


class Followers:
    """Of one session of a run."""

    def __init__(self, run: RunFolder, wanted: Sequence[Wanted]) -> None:
        """Raises UserError for a place that cannot be, so that nothing is begun then."""
        self.run, self._all = run, list[Follower]()
        self._files = [(item, Logging(run, item).file) for item in wanted]

    def launched(self, launch: Callable[[], T], tell: Callable[[str], None]) -> T:
        """The training that ``launch`` begins, with these beside it; ``tell`` is told of those that cannot be started, without
        which it goes on."""
        training = launch()
        for wanted, file in self._files:
            try:
                self._all.append(_spawned(self.run, wanted, file))
            except (OSError, UserError) as error:
                tell(f"--log {wanted}: cannot be started: {error}")
        return training

    def wait(self, tied: bool, tick: Progress = lambda phase, done, total, unit: None) -> Waited:
        """For those that are still busy with the end of the run; Ctrl-C waits no longer, and is no failure of the training."""
        began, longest = time.monotonic(), LONGEST_WAIT if tied else SHORT_WAIT
        with suppress(KeyboardInterrupt):
            while (busy := self._busy()) and (seconds := time.monotonic() - began) < longest:
                if seconds >= SILENT:
                    tick(f"waiting for {busy} to take the rest (Ctrl-C: go on)", int(seconds), 0, "s")
                time.sleep(PAUSE)
        through = [one for one in self._all if one.process.returncode == 0]
        hints = filter(None, (one.file.read().hint for one in through))
        return Waited([_trouble(self.run, one) for one in self._all if one not in through], list(hints))

    def _busy(self) -> str:
        """In words that leave room in a line of a terminal."""
        first, *others = [one.wanted.kind for one in self._all if one.process.poll() is None] or [""]
        return f"{first} and {len(others)} more" if others else first


def start(run: RunFolder, log: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A training from the console, with what its settings want it to be given to. ``options`` are those of
    :func:`core.run.session.start`, whose result this gives, and it raises UserError as that does; what is to be said of
    trackers stands in the run's log."""
    followers = Followers(run, trackers.parse_all("log", log))
    return followers.launched(partial(session.start, run, **options), partial(note, run))


def _spawned(run: RunFolder, wanted: Wanted, file: PlaceFile) -> Follower:
    file.make_folder()
    with os.fdopen(open_to_append(file.log), "ab") as log:
        before = os.fstat(log.fileno()).st_size
        process = subprocess.Popen(
            [*COMMAND, str(run.path.absolute()), "--follow"], env={**os.environ, TO: wanted.whole},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    return Follower(wanted, process, file, before)


def _trouble(run: RunFolder, one: Follower) -> str:
    if one.process.returncode is not None:
        silent = f"{one.wanted.kind}: its process ended without a word; what it lacks it gets by: {way_on(run, one.wanted)}"
        return last_line(one.file.log, one.before).removeprefix("tui-trainer: ") or silent
    goes_on = f"its process goes on, and says how in {one.file.log}"
    return f"{one.wanted.kind} has not got all of it yet; {goes_on}; where that ends too: {way_on(run, one.wanted)}"
