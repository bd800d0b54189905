"""The real worker in odd circumstances: ``odd_worker.py RUN RECORD WHAT``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.events import Event
from core.run import worker
from core.training.trainer import Trainer

JUMPS = (0, 86_400, -86_400, 400 * 86_400, -3, 3)
"""Seconds that the clock is off, one after the other."""
EVERY = 0.1
LONG = 120.0


def jump(_: Path) -> None:
    """A clock that somebody keeps setting, forward and back."""
    true = time.time_ns

    def now() -> int:
        return true() + JUMPS[int(time.monotonic() / EVERY) % len(JUMPS)] * 10**9

    time.time_ns, time.time = now, lambda: now() / 1e9


def have_a_child(end: Callable[[int], None]) -> Callable[[Path], None]:
    """Fork one after two steps, write its process id into RECORD, and go on."""

    def prepare(record: Path) -> None:
        between = Trainer.between_steps

        def forking(self: Trainer) -> Iterator[Event]:
            if self.progress.step == 2 and not record.exists():
                record.write_text(str(child := sleeper()))
                end(child)
            yield from between(self)

        Trainer.between_steps = forking  # type: ignore[method-assign]

    return prepare


def sleeper() -> int:
    """Returns once the child is under way."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b".")
        time.sleep(LONG)
        os._exit(0)
    os.read(reading, 1)
    return child


def ask_to_leave(child: int) -> None:
    """As a data loader does with its workers."""
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def leave_behind(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


CIRCUMSTANCES = {"clock": jump, "ended child": have_a_child(ask_to_leave), "orphan": have_a_child(leave_behind)}


def main() -> int:
    CIRCUMSTANCES[sys.argv[3]](Path(sys.argv[2]))
    return worker.main([sys.argv[1], "--threads", "1"])


if __name__ == "__main__":
    sys.exit(main())
