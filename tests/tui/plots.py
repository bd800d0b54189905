"""What stands on the border of a plot, and where to point at it."""

from __future__ import annotations

from tui_trainer.theme import palette
from tui_trainer.widgets.plot_panel import PlotPanel


def above(plot: PlotPanel) -> str:
    assert plot._reads
    return plot.title(plot._reads, palette(plot.app.theme_variables)).plain


def below(plot: PlotPanel) -> str:
    assert plot._reads
    words = plot.subtitle(plot._reads, palette(plot.app.theme_variables))
    return words.plain if words else ""


def place_of(plot: PlotPanel, step: float) -> tuple[int, int]:
    """Offset within the plot of a step's column."""
    assert plot.frame
    border, padding = 1, plot.styles.padding.left
    return border + padding + plot.size.width - plot.frame.columns + plot.frame.column(step), 4
