"""What a worker prints into its log: to follow, and the last thing to look at when it is gone without a word."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from core.files import open_plain, open_to_append, read_tail
from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.escape import printable

TAIL = 8 << 10
"""Bytes of the log that are looked at."""
KEPT_BYTES = 256 << 10
KEPT_LINES = 2000
"""That are followed."""
CRASH = "Fatal Python error"
"""How a crash in native code begins that Python's faulthandler has seen."""

NOTE = "tui-trainer log: "
"""How lines begin that are not the worker's: those of trackers, for the console to show."""


def note(run: RunFolder, words: str) -> None:
    """Say something of a tracker there."""
    with suppress(OSError), os.fdopen(open_to_append(run.log), "ab") as file:
        file.write(f"{NOTE}{' '.join(words.split())}\n".encode("utf-8", "backslashreplace"))


def last_lines(run: RunFolder, count: int, since: float = 0.0) -> tuple[str, ...]:
    """The worker's last lines that say something, or the first ones of a crash among them, safe to print. None when the log
    cannot be read, or was last written before ``since`` (Unix seconds), by a session that does not matter any more. A time to
    come says nothing: the clock was set back."""
    try:
        if run.log.stat().st_mtime < since <= time.time():
            return ()
        text = read_tail(run.log, TAIL).decode("utf-8", "replace")
    except OSError:
        return ()
    lines = [printable(line.rstrip()) for line in text.splitlines() if line.strip() and not line.startswith(NOTE)]
    crashes = [place for place, line in enumerate(lines) if line.startswith(CRASH)]
    return tuple(lines[crashes[-1] :][:count] if crashes else lines[-count:])


def last_words(run: RunFolder, state: State, count: int) -> tuple[str, ...]:
    """The last lines of the session that ended so, where nothing else explains it: a defect, or an end without a word."""
    unexplained = state.status == "lost" or state.failure == "error"
    return last_lines(run, count, state.session_started) if unexplained else ()


class Tail:
    """Follows the log: ``lines`` are the last ones, safe to print. ``poll`` looks for more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: tuple[str, ...] = ()
        self.trouble = ""
        self._identity, self._offset, self._rest = (0, 0), 0, b""

    def poll(self) -> int:
        """Returns how many lines went out of sight at the beginning, where others stay in their places."""
        try:
            status = self.path.lstat()
            if (status.st_dev, status.st_ino) != self._identity or status.st_size < self._offset:
                self.lines, self._rest = (), b""
                self._identity, self._offset = (status.st_dev, status.st_ino), max(0, status.st_size - KEPT_BYTES)
            if status.st_size == self._offset:
                return 0
            self._offset = max(self._offset, status.st_size - KEPT_BYTES)
            with open_plain(self.path) as file:
                file.seek(self._offset)
                return self._take(file.read(KEPT_BYTES))
        except OSError as error:
            self.trouble = "" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
            return 0

    def _take(self, data: bytes) -> int:
        self._offset += len(data)
        *whole, last = (self._rest + data).split(b"\n")
        kept = self.lines[:-1] if self._rest else self.lines
        self._rest = last[-KEPT_BYTES:]
        lines = (*kept, *map(_shown, whole), *((_shown(last),) if last else ()))
        self.lines = lines[-KEPT_LINES:]
        return len(lines) - len(self.lines)


def _shown(line: bytes) -> str:
    """As a terminal would leave it: what comes after a carriage return is written over what was before."""
    return printable(line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2].expandtabs())
