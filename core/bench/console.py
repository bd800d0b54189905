"""A program on a pseudo-terminal of its own, as if somebody were looking at it, that can be frozen and woken."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

from core.errors import TrainingError

TERMINAL = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "COLUMNS": "120",
    "LINES": "40",
    "TUI_TRAINER_STATE": os.devnull,
}
"""The last of them: nobody looks who would need hints."""
ON_A_TERMINAL = """
import os, pty, sys

def read(descriptor):
    data = os.read(descriptor, 1024)
    return data or sys.exit()  # whoever started this is gone, and with the terminal the program on it goes too

pty.spawn(sys.argv[1:], stdin_read=read)
"""
OPENING = 60.0
"""Seconds that the first frame may take."""
FRAME = 2_000
"""Bytes that a screen has at the least."""
GOING = 5.0
"""Seconds that the program may take to end."""


class Console:
    """Entering returns when the first frame has been drawn. What the program writes goes to the file ``screen``."""

    def __init__(self, command: Sequence[str], screen: Path) -> None:
        self._command, self._screen = command, screen

    def __enter__(self) -> Console:
        with self._screen.open("wb") as output:
            self._terminal = psutil.Popen(
                [sys.executable, "-c", ON_A_TERMINAL, *self._command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, **TERMINAL},
                start_new_session=True,
            )
        try:
            self._wait_for_a_frame()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    @property
    def drawn(self) -> int:
        """Bytes so far."""
        return self._screen.stat().st_size

    def freeze(self) -> None:
        for process in self._programs():
            process.suspend()

    def wake(self) -> None:
        """Raises TrainingError when the program has ended meanwhile."""
        self._check()
        for process in self._programs():
            process.resume()

    def _programs(self) -> list[psutil.Process]:
        """On the terminal; none when it has gone."""
        with suppress(psutil.NoSuchProcess):
            return self._terminal.children(recursive=True)
        return []

    def _wait_for_a_frame(self) -> None:
        deadline = time.monotonic() + OPENING
        while self.drawn < FRAME:
            self._check()
            if time.monotonic() > deadline:
                raise TrainingError("error", f"the console drew nothing within {OPENING:.0f} s")
            time.sleep(0.05)

    def _check(self) -> None:
        if self._terminal.poll() is not None:
            lines = self._screen.read_text("utf-8", "replace").strip().splitlines() or ["no output"]
            raise TrainingError("error", f"the console ended: {lines[-1]}")

    def _end(self) -> None:
        programs = self._programs()
        for process in programs:
            process.resume()
        self._terminal.stdin.close()
        for process in psutil.wait_procs([self._terminal, *programs], GOING)[1]:
            process.kill()
