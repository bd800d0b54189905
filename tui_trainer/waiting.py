"""What waits in the queue of a runs folder, as Home shows it among the runs. No screen library here: it is called from a
thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UserError
from core.queue.entries import Entry, waiting
from core.queue.folder import QueueFolder
from core.run.folder import RunFolder
from core.sections import LARGEST_COUNT
from core.view.state import State
from tui_trainer.listing import ListedRun, Version, version


@dataclass(frozen=True)
class Queued:
    entry: Entry
    position: int
    of: int
    """So many wait."""
    conducted: bool
    """Whether a process begins them."""
    runs: Path


class Waiting:
    """Read again only when the queue has changed."""

    def __init__(self, runs: Path) -> None:
        self.queue = QueueFolder(runs)
        self.trouble = ""
        """Why it cannot be read, in one line."""
        self._read: tuple[Version, tuple[Entry, ...]] | None = None

    def look(self) -> list[ListedRun]:
        """In the order in which they begin."""
        found, conducted = self._entries(), self.queue.conducted
        return [
            _listed(self.queue, Queued(entry, place, len(found), conducted, self.queue.runs))
            for place, entry in enumerate(found, 1)
        ]

    def _entries(self) -> tuple[Entry, ...]:
        now = (version(self.queue.file),)
        if self._read is None or self._read[0] != now:
            self._read = now, self._afresh()
        return self._read[1]

    def _afresh(self) -> tuple[Entry, ...]:
        self.trouble = ""
        try:
            return tuple(waiting(self.queue.read()))
        except UserError as error:
            self.trouble = str(error)
            return ()


def _listed(queue: QueueFolder, queued: Queued) -> ListedRun:
    """Like a run that has nothing to tell yet."""
    entry, epochs = queued.entry, queued.entry.recipe.get("epochs")
    length = min(epochs, LARGEST_COUNT) if isinstance(epochs, int) else 0
    state = State(name=entry.name, status="queued", recipe=entry.recipe_name, epochs=length)
    return ListedRun(queue.run(entry), state, alive=False, active=entry.added, queued=queued)


def among(runs: Sequence[ListedRun], queued: Sequence[ListedRun]) -> list[ListedRun]:
    """After those that are trained, before those that are not; each under a name of its own."""
    taken, named = {item.run.name for item in runs}, list[ListedRun]()
    for item in queued:
        name, number = item.run.name, 1
        while name in taken:  # by somebody else since: it begins under another one
            number += 1
            name = f"{item.run.name}-{number}"
        taken.add(name)
        named.append(replace(item, run=RunFolder(item.run.path.with_name(name))))
    return [*(item for item in runs if item.alive), *named, *(item for item in runs if not item.alive)]
