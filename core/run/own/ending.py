"""How a program's run has ended."""

from __future__ import annotations

import signal
from typing import Any

from core.errors import out_of_memory
from core.events import Event, RunFailed, RunFinished, RunStopped
from core.run.own.course import Course
from core.run.own.telling import Telling


def of(course: Course, telling: Telling, weights: str, error: BaseException | None) -> Event:
    """``error`` is what has left the program's loop, if anything."""
    about: dict[str, Any] = {"step": course.step, "epoch": course.epoch, "weights": weights}
    if isinstance(error, KeyboardInterrupt):
        return RunStopped(**about, reason="interrupted", signal=signal.SIGINT)
    if isinstance(error, (SystemExit, GeneratorExit)):
        return RunStopped(**about, reason=f"its program left ({type(error).__name__})")
    if error is not None:
        kind = "memory" if out_of_memory(error) else "error"
        return RunFailed(**about, kind=kind, reason=f"{type(error).__name__}: {error}")
    if course.stopping:
        return RunStopped(**about, reason=course.reason, signal=course.signal, discarded=course.discarded)
    if telling.diverged:
        return RunFailed(**about, kind="diverged", reason=telling.diverged)
    return RunFinished(**about, metrics=telling.measured)
