"""The processes that give a run to other tools while it is trained: each tracker has one of its own, which outlives whoever
started it, so that none of them holds up the training or its console."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.errors import UserError
from core.files import open_to_append, read_tail
from core.run.folder import RunFolder
from tui_trainer.cli.log import HINT
from tui_trainer.cli.say import complain

if TYPE_CHECKING:
    from tui_trainer.forwarding.place import PlaceFile
    from tui_trainer.trackers import Wanted

COMMAND = (sys.executable, "-P", "-m", "tui_trainer", "log")
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


class Followers:
    """Of one session of a run."""

    def __init__(self, run: RunFolder, wanted: Sequence[Wanted]) -> None:
        """Raises UserError for a place that cannot be, so that nothing is begun then."""
        self.run, self._all = run, list[Follower]()
        self._files = [(item, _file(run, item)) for item in wanted]

    def start(self) -> None:
        """One that cannot be started is told, and the training goes on."""
        for wanted, file in self._files:
            try:
                self._all.append(Follower(wanted, _spawned(self.run, wanted, file), file.log))
            except (OSError, UserError) as error:
                complain(f"--log {wanted}: cannot be started: {error}")

    def wait(self, tied: bool) -> list[str]:
        """For those that are still busy with the end of the run; says what became of those that have not got all of it, and
        returns how the others are looked at."""
        deadline = time.monotonic() + (LONGEST_WAIT if tied else SHORT_WAIT)
        while any(one.process.poll() is None for one in self._all) and time.monotonic() < deadline:
            time.sleep(PAUSE)
        for one in self._all:
            if one.process.returncode is None:
                complain(_unfinished(self.run, one))
            elif one.process.returncode:
                complain(_last_line(one.log).removeprefix("tui-trainer: "))
        return [_last_line(one.log).partition(HINT)[2] for one in self._all if one.process.returncode == 0]


def _file(run: RunFolder, wanted: Wanted) -> PlaceFile:
    from tui_trainer.forwarding.following import Logging

    return Logging(run, wanted).file


def _spawned(run: RunFolder, wanted: Wanted, file: PlaceFile) -> subprocess.Popen[bytes]:
    file.make_folder()
    with os.fdopen(open_to_append(file.log), "ab") as log:
        return subprocess.Popen(
            [*COMMAND, str(run.path.absolute()), f"--to={wanted}", "--follow"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _unfinished(run: RunFolder, one: Follower) -> str:
    from tui_trainer.forwarding.following import way_on

    goes_on = f"its process goes on, and says how in {one.log}"
    return f"{one.wanted.kind} has not got all of it yet; {goes_on}; where that ends too: {way_on(run, one.wanted)}"


def _last_line(log: Path) -> str:
    try:
        lines = read_tail(log, LOG_TAIL).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return (lines or [f"logging ended without a word; see {log}"])[-1]
