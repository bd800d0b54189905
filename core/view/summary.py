"""The state of a run on disk, as it stands: for lists, for ``show``, and to begin a screen with."""

from __future__ import annotations

import time

from msgspec.structs import replace

from core.errors import UserError
from core.files import open_plain
from core.run.folder import RunFolder
from core.run.journal import SLICE, JournalReader
from core.view.fold import fold
from core.view.linked import linked
from core.view.state import State

READ_WHOLE = 8 << 20
"""Bytes; of a longer journal only its head and its tail are read."""
HEAD = 256 << 10
TAIL = 2 << 20
GRACE_SECONDS = 15.0
"""So long after its creation a run without a journal still counts as being prepared."""


def summarise(run: RunFolder) -> State:
    """The fold of the run's journal. Of a long journal the middle is left out: its curves have a gap, its end does not.
    A journal that cannot be read makes a failed run, so that one bad folder does not hide the others."""
    try:
        open_plain(run.journal).close()
    except FileNotFoundError:
        return opening(run)
    except OSError as error:
        return State(name=run.name, status="failed", ending=f"its journal cannot be read: {error.strerror}")
    return _summary(run)


def _summary(run: RunFolder) -> State:
    state, size = opening(run), _size(run)
    if size <= READ_WHOLE:
        return _folded(state, JournalReader(run.journal), size)
    state = _folded(state, JournalReader(run.journal), HEAD)
    return _folded(state, JournalReader(run.journal, size - TAIL), size)


def opening(run: RunFolder) -> State:
    """What is known before the journal's first event: name, recipe and the time of creation, from ``run.json``, and how the
    link to another machine stands."""
    return linked(_described(run), run, time.time())


def _described(run: RunFolder) -> State:
    try:
        described = run.read()
    except UserError:
        return State(name=run.name)
    if described.origin:
        return State(name=run.name, status="watched", origin=described.origin, started=described.created)
    recipe = str(described.recipe.get("name", ""))
    return State(name=run.name, recipe=recipe, program=described.program, started=described.created)


def with_liveness(state: State, alive: bool, now: float | None = None) -> State:
    """The state with its status corrected by the lock: not ended, yet nobody trains it, is ``lost``.

    Look at the lock before reading the journal: then an ending that was written in between is already in the state."""
    if alive or state.ended:
        return state
    age = abs((time.time() if now is None else now) - state.started)  # the clock may have been set back since
    if state.seq < 0 and age < GRACE_SECONDS:
        return state
    ending = "what read the files has ended; watch them again" if state.origin else state.ending
    return replace(state, status="lost", step_age=0.0, ending=ending)


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0


def _folded(state: State, reader: JournalReader, end: int) -> State:
    """Reads up to the byte ``end`` in slices, so that memory stays bounded; less when the file is shorter by now."""
    while (before := reader.offset) < end:
        state = fold(state, reader.read(min(end - before, SLICE)))
        if reader.offset == before:
            break
    return state
