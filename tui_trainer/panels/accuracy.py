from __future__ import annotations

from tui_trainer.widgets.plot_panel import PlotPanel


class Accuracy(PlotPanel):
    """Share of images classified right over steps, in per cent."""

    METRIC = "accuracy"
    RANK = 20
