"""The processes that give a run to other tools while it is trained: each tracker has one of its own, which outlives whoever
started it, so that none of them holds up the training or its console."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.files import open_to_append, read_tail
from core.run import session
from core.run.folder import RunFolder
from tui_trainer import trackers
from tui_trainer.forwarding.following import HINT, Logging, note, way_on
from tui_trainer.forwarding.place import PlaceFile
from tui_trainer.trackers import Wanted

COMMAND = (sys.executable, "-P", "-m", "tui_trainer", "log")
TO = "TUI_TRAINER_LOG_TO"
"""Where to, for that command: other people of the machine see what a process is called with, and it may hold a password."""
LONGEST_WAIT, SHORT_WAIT = 60.0, 5.0
"""Seconds for what is still to be given on after the end of a training: where all ends with this command, as in CI, and where
the processes go on without it."""
PAUSE = 0.05
LOG_TAIL = 4096
"""Bytes of a log, of which the last line is said."""


class Follower(NamedTuple):
    wanted: Wanted
    process: subprocess.Popen[bytes]
    log: Path


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

    def start(self) -> list[str]:
        """Once the training has begun; what there is to say of those that could not be started, without which it goes on."""
        troubles = list[str]()
        for wanted, file in self._files:
            try:
                self._all.append(Follower(wanted, _spawned(self.run, wanted, file), file.log))
            except (OSError, UserError) as error:
                troubles.append(f"--log {wanted}: cannot be started: {error}")
        return troubles

    def wait(self, tied: bool) -> Waited:
        """For those that are still busy with the end of the run."""
        deadline = time.monotonic() + (LONGEST_WAIT if tied else SHORT_WAIT)
        while any(one.process.poll() is None for one in self._all) and time.monotonic() < deadline:
            time.sleep(PAUSE)
        through = [one for one in self._all if one.process.returncode == 0]
        hints = [_last_line(one.log).partition(HINT)[2] for one in through]
        return Waited([_trouble(self.run, one) for one in self._all if one not in through], list(filter(None, hints)))


def start(run: RunFolder, log: Sequence[str], **options: Any) -> None:
    """A training from the console, with what its settings want it to be given to. ``options`` are those of
    :func:`core.run.session.start`, and it raises UserError as that does; what is to be said of trackers stands in the run's
    log."""
    followers = Followers(run, trackers.parse_all("log", log))
    session.start(run, **options)
    for words in followers.start():
        note(run, words)


def _spawned(run: RunFolder, wanted: Wanted, file: PlaceFile) -> subprocess.Popen[bytes]:
    file.make_folder()
    with os.fdopen(open_to_append(file.log), "ab") as log:
        return subprocess.Popen(
            [*COMMAND, str(run.path.absolute()), "--follow"], env={**os.environ, TO: wanted.whole},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _trouble(run: RunFolder, one: Follower) -> str:
    if one.process.returncode is not None:
        return _last_line(one.log).removeprefix("tui-trainer: ")
    goes_on = f"its process goes on, and says how in {one.log}"
    return f"{one.wanted.kind} has not got all of it yet; {goes_on}; where that ends too: {way_on(run, one.wanted)}"


def _last_line(log: Path) -> str:
    try:
        lines = read_tail(log, LOG_TAIL).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return (lines or [f"logging ended without a word; see {log}"])[-1]
