"""The runs of a folder as Home shows them. No screen library here: it is called from a thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.run.folder import RunFolder, last_activity, list_runs
from core.view.state import State
from core.view.summary import summarise, with_liveness

BUDGET = 0.3
"""Seconds that one scan may spend on reading journals; what is left over is read by the next scan."""

Version: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class ListedRun:
    run: RunFolder
    state: State | None
    """None while its journal has not been read yet."""
    alive: bool
    active: float
    """Unix seconds of the last activity."""


class Listing:
    """Summaries of all runs below a folder. A journal is read again only when its time or size has changed."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._summaries: dict[str, tuple[Version, State]] = {}

    def scan(self, budget: float = BUDGET) -> list[ListedRun]:
        """Every run, the living ones first (latest start on top), then the others by their last activity."""
        found = list_runs(self.runs)
        deadline = time.monotonic() + budget
        names = {run.name for run in found}
        self._summaries = {name: kept for name, kept in self._summaries.items() if name in names}
        return sorted((self._listed(run, deadline) for run in found), key=_order)

    def _listed(self, run: RunFolder, deadline: float) -> ListedRun:
        alive = run.alive()
        state = self._summary(run, deadline)
        return ListedRun(run, state and with_liveness(state, alive), alive, last_activity(run))

    def _summary(self, run: RunFolder, deadline: float) -> State | None:
        version = _version(run.journal)
        known = self._summaries.get(run.name)
        if known and known[0] == version:
            return known[1]
        if time.monotonic() > deadline:
            return known[1] if known else None
        state = summarise(run)
        self._summaries[run.name] = (version, state)
        return state


def _version(path: Path) -> Version:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _order(listed: ListedRun) -> tuple[bool, float, str]:
    started = listed.state.started if listed.state and listed.alive else listed.active
    return not listed.alive, -started, listed.run.name
