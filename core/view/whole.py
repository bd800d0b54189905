"""The State of a run by the whole of its journal, however long that is."""

from __future__ import annotations

from collections.abc import Callable

from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import history
from core.view.fold import fold
from core.view.state import State
from core.view.summary import READ_WHOLE, summarise, with_liveness


def look(run: RunFolder, tick: Callable[[int, int], None] = lambda done, total: None) -> State:
    """The run as it stands. ``tick`` is told how many bytes of a long journal have been read, and how many there are."""
    alive = run.alive()  # before the journal is read: an ending that is written in between is in it then
    try:
        size = run.journal.stat().st_size
    except OSError:
        size = 0
    return with_liveness(summarise(run) if size <= READ_WHOLE else _long(run, size, tick), alive)


def _long(run: RunFolder, size: int, tick: Callable[[int, int], None]) -> State:
    """As the console does it; what that process has not read is read here."""

    def progress(done: int) -> bool:
        tick(done, size)
        return True

    known = history.read(run, progress)
    reader, state = JournalReader(run.journal, known.offset), known.state
    while not reader.at_end:
        state = fold(state, reader.read())
        tick(reader.offset, size)
    return state
