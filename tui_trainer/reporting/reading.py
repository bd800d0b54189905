"""The State that a report is made of: that of the whole journal, however long it is."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import history
from core.view.fold import fold
from core.view.state import State
from core.view.summary import READ_WHOLE, summarise, with_liveness


def read(run: RunFolder, tick: Callable[[int, int], None] = lambda done, total: None) -> State:
    """The run as it stands. ``tick`` is told how many bytes of a long journal have been read, and how many there are."""
    alive = run.alive()  # before the journal, see with_liveness
    try:
        size = run.journal.stat().st_size
    except OSError:
        size = 0
    state = summarise(run) if size <= READ_WHOLE else _whole(run, size, tick)
    return with_liveness(replace(state, name=state.name or run.name), alive)


def _whole(run: RunFolder, size: int, tick: Callable[[int, int], None]) -> State:
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
