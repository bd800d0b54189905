"""A process of this program that outlives whoever starts it: the command line once more, with a log of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from core.errors import UserError
from core.files import last_line, open_to_append

COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
STARTUP = 60.0
"""Seconds that it may take until it is at work: it may have to load large libraries first."""
PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def begin(words: Sequence[str], log: Path, at_work: Callable[[], bool], what: str) -> None:
    """Back once it is ``at_work``, or through. Raises UserError with its own words when it could not."""
    try:
        with os.fdopen(open_to_append(log), "ab") as file:
            before = os.fstat(file.fileno()).st_size
            process = subprocess.Popen(
                [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
    except OSError as error:
        raise UserError(f"{what} cannot be started: {error.filename or log}: {error.strerror}") from None
    deadline = time.monotonic() + STARTUP
    while process.poll() is None and not at_work():
        if time.monotonic() > deadline:
            process.kill()
            raise UserError(f"{what} did not begin within {STARTUP:.0f} s; its words are in {log}")
        time.sleep(0.05)
    if process.returncode and not at_work():
        raise UserError(last_line(log, before).removeprefix("tui-trainer: ") or f"see {log}")


@contextmanager
def passing_signals(leave: Callable[[int], None]) -> Iterator[None]:
    """``leave`` gets the number of a signal that asks this process to end. A closed terminal does like any other, unless nohup
    says otherwise."""

    def take(number: int, frame: FrameType | None) -> None:
        leave(number)

    passed = [number for number in PASSED if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, take) for number in passed}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
