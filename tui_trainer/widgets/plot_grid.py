"""The plots page: every scalar of the run, in as many columns as show them best."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.containers import Container

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.widgets.metric import ALWAYS, metrics
from tui_trainer.widgets.panel import Page, Slot
from tui_trainer.widgets.plot_panel import PlotPanel

LEAST_WIDTH, LEAST_HEIGHT = 38, 10
"""Cells of a plot with its border; what does not fit scrolls."""
SHAPE = 4.0
"""Columns for each row of the best-looking plot."""
MOST = 64


class Plot(PlotPanel):
    """A plot of this page."""

    PAGE: ClassVar[Page] = "plots"
    SLOT: ClassVar[Slot] = "left"


class PlotGrid(Container):
    """Has a plot for each metric as soon as the run tells it; ``show`` it the run's state."""

    DEFAULT_CSS = """
    PlotGrid { layout: grid; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, run: RunFolder) -> None:
        super().__init__(*(Plot(run, item.name) for item in metrics(())), id="plots", classes="page")
        self.run = run
        self._names = [item.name for item in metrics(())]
        self._shown = 0

    def show(self, state: State, hidden: frozenset[str] = frozenset()) -> None:
        if not self.query(Plot):
            return  # not composed yet: what is mounted now would come before those that every run has
        # A program's own loop, and a run of others, need not have what every recipe's has.
        others = bool(state.series and (state.origin or (state.program and state.windows)))
        wanted = [item.name for item in metrics(state.series, () if others else ALWAYS)][:MOST]
        for plot in self.query(Plot):
            plot.set_class(plot.metric.name not in wanted, "untold")
        for place, name in enumerate(wanted):
            if name not in self._names:
                plot = Plot(self.run, name)
                plot.set_class(name in hidden, "hidden")
                later = (self._names.index(other) for other in wanted[place + 1 :] if other in self._names)
                before = next(later, None)
                self.mount(plot, before=before)
                self._names.insert(len(self._names) if before is None else before, name)
        if (shown := self._count()) != self._shown:
            self._shown = shown
            self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def _count(self) -> int:
        """Of the plots that are shown."""
        return sum(not (plot.has_class("hidden") or plot.has_class("untold")) for plot in self.query(Plot))

    def _lay_out(self) -> None:
        columns, height = shape(max(self._count(), 1), *self.size)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = str(height)


def shape(plots: int, width: int, height: int) -> tuple[int, int]:
    """So many columns, and the height of a row, that plots are as large as can be in a shape that is good to read."""
    most = max(1, width // LEAST_WIDTH)
    fitting = [(columns, height // -(-plots // columns)) for columns in range(1, most + 1)]
    fitting = [(columns, rows) for columns, rows in fitting if rows >= LEAST_HEIGHT]
    if fitting:
        return max(fitting, key=lambda found: min(width / found[0] / SHAPE, found[1]))
    return most, max(1, height // max(1, height // LEAST_HEIGHT))
