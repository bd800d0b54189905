from __future__ import annotations

from tui_trainer.widgets.plot_panel import PlotPanel


class Loss(PlotPanel):
    """Mean cross-entropy over steps."""

    METRIC = "loss"
    RANK = 10
