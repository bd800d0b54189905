"""What a worker left in its log: the last thing to look at when it is gone without a word."""

from __future__ import annotations

import time

from core.files import read_tail
from core.run.folder import RunFolder
from tui_trainer.escape import printable

TAIL = 8 << 10
"""Bytes of the log that are looked at."""
CRASH = "Fatal Python error"
"""How a crash in native code begins that Python's faulthandler has seen."""


def last_lines(run: RunFolder, count: int, since: float = 0.0) -> tuple[str, ...]:
    """The last lines that say something, or the first ones of a crash among them, safe to print. None when the log cannot be
    read, or was last written before ``since`` (Unix seconds), by a session that does not matter any more. A time to come says
    nothing: the clock was set back."""
    try:
        if run.log.stat().st_mtime < since <= time.time():
            return ()
        text = read_tail(run.log, TAIL).decode("utf-8", "replace")
    except OSError:
        return ()
    lines = [printable(line.rstrip()) for line in text.splitlines() if line.strip()]
    crashes = [place for place, line in enumerate(lines) if line.startswith(CRASH)]
    return tuple(lines[crashes[-1] :][:count] if crashes else lines[-count:])
