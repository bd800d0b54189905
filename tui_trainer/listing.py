"""The runs of a folder as Home shows them. No screen library here: it is called from a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from core.run import tags
from core.run.folder import RunFolder, last_activity, list_runs
from core.run.size import folder_bytes
from core.view.linked import linked
from core.view.state import State
from core.view.summary import summarise, with_liveness

if TYPE_CHECKING:
    from tui_trainer.waiting import Queued

BUDGET = 0.3
"""Seconds that one scan may spend on reading journals; what is left over is read by the next scan."""

Version: TypeAlias = tuple[tuple[int, int], ...]
T = TypeVar("T")


@dataclass(frozen=True)
class ListedRun:
    run: RunFolder
    state: State | None
    """None while its journal has not been read yet."""
    alive: bool
    active: float
    """Unix seconds of the last activity."""
    tags: tuple[str, ...] = ()
    size: int | None = None
    """Bytes on disk; None while they have not been counted yet."""
    queued: Queued | None = None
    """What waits in the queue, and is no run yet."""

    @property
    def known(self) -> bool:
        return self.queued is not None or (self.state is not None and self.size is not None)


class Kept(Generic[T]):
    """What was found of each run, and of which version of its files; found anew only when they have changed."""

    def __init__(self, find: Callable[[RunFolder], T], *files: str) -> None:
        self._find, self._files = find, files
        self._kept: dict[str, tuple[Version, T]] = {}

    def get(self, run: RunFolder, deadline: float) -> T | None:
        """After the deadline what is known so far."""
        now = tuple(version(run.path / name) for name in self._files)
        known = self._kept.get(run.name)
        if known and (known[0] == now or time.monotonic() > deadline):
            return known[1]
        if time.monotonic() > deadline:
            return None
        found = self._find(run)
        self._kept[run.name] = now, found
        return found

    def forget_others(self, names: set[str]) -> None:
        self._kept = {name: kept for name, kept in self._kept.items() if name in names}


class Listing:
    """Summaries of all runs below a folder. A journal is read again only when its time or size has changed, the room that a run
    takes is counted again only when a checkpoint or pictures came or went."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._states = Kept(lambda run: summarise(run), "events.jsonl")
        self._tags = Kept(tags.read, tags.NAME)
        self._sizes = Kept(lambda run: folder_bytes(run.path) - _bytes(run.journal), "checkpoints", "media")

    def scan(self, budget: float = BUDGET) -> list[ListedRun]:
        """Every run, the living ones first (latest start on top), then the others by their last activity."""
        found = list_runs(self.runs)
        deadline = time.monotonic() + budget
        for kept in (self._states, self._tags, self._sizes):
            kept.forget_others({run.name for run in found})
        return sorted((self._listed(run, deadline) for run in found), key=_order)

    def _listed(self, run: RunFolder, deadline: float) -> ListedRun:
        alive = run.alive()
        state, beside = self._states.get(run, deadline), self._sizes.get(run, deadline)
        shown = state and with_liveness(linked(state, run, time.time()), alive)
        return ListedRun(
            run, shown, alive, _active(run, state), self._tags.get(run, deadline) or (),
            None if beside is None else max(beside + _bytes(run.journal), 0),
        )  # fmt: skip


def latest_first(listed: Iterable[ListedRun]) -> list[ListedRun]:
    """Whether they live or not, as ``last`` counts them."""
    return sorted(listed, key=lambda item: item.active, reverse=True)


def _active(run: RunFolder, state: State | None) -> float:
    """Of a run of others, what it says itself: its journal here is younger."""
    return state.last_time if state and (state.origin or state.address) else last_activity(run)


def version(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _bytes(journal: Path) -> int:
    """It grows all the time, and is looked at by itself."""
    return version(journal)[1]


def _order(listed: ListedRun) -> tuple[bool, float, str]:
    started = listed.state.started if listed.state and listed.alive else listed.active
    return not listed.alive, -started, listed.run.name
