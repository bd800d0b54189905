"""Progress of a wait inside a command, on the standard error, so that the standard output stays what was asked for."""

from __future__ import annotations

import sys
import time

from tui_trainer.escape import printable
from tui_trainer.stream import wants_live


class Ticker:
    """A :data:`core.data.Progress`: one line that is written over on a terminal, one line a phase elsewhere."""

    def __init__(self, shown: bool = True) -> None:
        self._shown = shown and sys.stderr is not None
        self._live = self._shown and wants_live(sys.stderr)
        self._phase, self._said, self._open = "", 0.0, False

    def __call__(self, phase: str, done: int, total: int, unit: str) -> None:
        started, now = phase != self._phase, time.monotonic()
        if not self._shown or (not started and (not self._live or now - self._said < 0.1)):
            return
        if started:
            self.close()
        self._phase, self._said = phase, now
        share = f"{100 * done / total:3.0f} %" if total > 0 else f"{done:,} {unit}"
        self._write(printable(f"{phase} {share}" if self._live else f"{phase} ..."))

    def close(self) -> None:
        """End the line, so that what follows begins on its own."""
        if self._open:
            sys.stderr.write("\r\x1b[K")
            self._open = False

    def _write(self, words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{words}" if self._live else f"{words}\n")
        sys.stderr.flush()
        self._open = self._live
