"""How the sessions of a run ended, as its journal tells, and which exit status that is."""

from __future__ import annotations

from typing import TypeAlias

from core.events import ResumeRefused, RunFailed, RunFinished, RunStopped
from core.run import journal
from core.run.folder import RunFolder

Ending: TypeAlias = RunFinished | RunStopped | RunFailed | ResumeRefused


def endings(run: RunFolder) -> list[Ending]:
    """All of them, oldest first."""
    found = [*journal.find(run.journal, RunFinished, RunStopped, RunFailed), *journal.find(run.journal, ResumeRefused)]
    return sorted(found, key=lambda ending: ending.seq)


def status_of(ending: Ending) -> int:
    """The exit status of a session that ended so."""
    match ending:
        case RunStopped() if ending.signal:
            return 128 + ending.signal
        case RunFailed():
            return 2 if ending.kind == "use" else 3
        case ResumeRefused():
            return 2
    return 0


def ended_since(run: RunFolder, moment: float) -> int | None:
    """The exit status of a session that has ended since then (Unix seconds); None when none has."""
    last = endings(run)[-1:]
    return status_of(last[0]) if last and last[0].time >= moment else None
