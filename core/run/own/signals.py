"""Signals while a run is open in somebody's program: the first asks the loop to save and leave, and then goes to whoever would
have had it; a second one goes there at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from core.run.signals import SIGNALS, Signals

_catching: PassingSignals | None = None


class PassingSignals(Signals):
    """Only of the main thread, the only one that may; and only where nobody else has a handler."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[int, Any] = {}

    def catch(self) -> None:
        global _catching
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            notebook = number == signal.SIGINT and "ipykernel" in sys.modules  # there it is KeyboardInterrupt, as always
            if signal.getsignal(number) == usual and not notebook:
                self._before[number] = signal.signal(number, self._take)
        _catching = self

    def restore(self) -> None:
        """Only on the main thread, too: a run that another one closes leaves them as they are."""
        global _catching
        if threading.current_thread() is not threading.main_thread():
            return
        _catching = None
        while self._before:
            signal.signal(*self._before.popitem())

    def pass_on(self) -> None:
        """After the run is closed."""
        if self.number:
            signal.raise_signal(self.number)

    def _take(self, number: int, frame: FrameType | None) -> None:
        super()._take(number, frame)
        self.restore()
        os.write(2, f"tui-trainer: signal {number}: leaving after this step; once more ends at once\n".encode())


def _as_before() -> None:
    """A forked child, a data worker say, ends by a signal as it always did."""
    if _catching:
        _catching.restore()


os.register_at_fork(after_in_child=_as_before)
