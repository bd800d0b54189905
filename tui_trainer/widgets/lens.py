"""One look at a run through all plots of its screen: the common view, and the journal's points in it where the whole is too
coarse for it. They are read beside the screen, which shows the coarse ones meanwhile."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import TypeAlias

from core.run.folder import RunFolder
from core.view import window
from core.view.series import Series
from core.view.state import Mark, State
from core.view.window import Slices, Stretch
from tui_trainer.widgets.flags import Flag, flags
from tui_trainer.widgets.view import Edges, View

ENOUGH = 400
"""Bins in a window from which on finer ones would not show."""
MARGIN = 0.125
"""Of the window, read on each side beyond it."""
Going: TypeAlias = Callable[[], bool]


class Lens:
    def __init__(self, run: RunFolder) -> None:
        self.view = View()
        self.held = False
        """Whether the crosshair stays where it is when the mouse moves."""
        self.stretch: Stretch | None = None
        self.until = math.inf
        """The bytes of the journal that there are for this look; a replay looks at fewer than have been written."""
        self._slices, self._reading = Slices(run.journal), threading.Lock()
        self._wanted: Edges | None = None
        self._returns: tuple[Mark, ...] = ()
        self._flags: tuple[object, object, tuple[Flag, ...]] = ((), (), ())

    def flags(self, state: State) -> tuple[Flag, ...]:
        """Those of all plots, made anew only when there are others."""
        marks, checkpoints, found = self._flags
        if marks is not state.marks or checkpoints is not state.checkpoints:
            found = flags(state)
            self._flags = (state.marks, state.checkpoints, found)
        return found

    def missing(self, state: State) -> Edges | None:
        """Between which steps the journal is to be read now; None when enough is known or just being read."""
        returns = tuple(mark for mark in state.marks if mark.kind in ("resume", "rewind"))
        if returns != self._returns:  # points may have been taken back
            self._returns, self.stretch, self._wanted = returns, None, None
        end = last_step(state)
        edges = self.view.edges(end)
        if self.view.whole or all(self._enough(name, item, edges) for name, item in state.series.items()):
            return None
        if self._wanted and self._wanted.cover(edges) and self._wanted.span <= 2 * edges.span:
            return None
        room = MARGIN * edges.span
        self._wanted = Edges(max(edges.left - room, 0.0), min(edges.right + room, end))
        return self._wanted

    def read(self, edges: Edges, go_on: Going) -> None:
        """Takes its time; for a thread."""
        with self._reading:
            found = window.read(self._slices, int(edges.left), round(edges.right), go_on, self.until)
        if found and self._wanted == edges:
            self.stretch = found

    def _enough(self, name: str, series: Series, edges: Edges) -> bool:
        if _fine(series, edges) or (series.recent and series.recent[0][0] <= edges.left):
            return True
        stretch = self.stretch
        if not stretch or stretch.first > edges.left or not _fine(stretch.series.get(name, Series()), edges):
            return False
        return stretch.last >= edges.right or (bool(series.recent) and series.recent[0][0] <= stretch.last)


def _fine(series: Series, edges: Edges) -> bool:
    return series.width == 1 or edges.span / series.width >= ENOUGH


def last_step(state: State) -> int:
    """The step that all plots reach to."""
    return max(state.step, *(item.bins[-1].step for item in state.series.values() if item.bins), 0)
