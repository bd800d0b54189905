from __future__ import annotations

from tui_trainer.widgets.plot_panel import PlotPanel


class LearningRate(PlotPanel):
    """The optimizer's learning rate over steps."""

    METRIC = "learning_rate"
    RANK = 30
    EXTRA = True
