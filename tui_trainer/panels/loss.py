from __future__ import annotations

from tui_trainer.widgets.curve_panel import CurvePanel


class Loss(CurvePanel):
    """Mean cross-entropy over steps."""

    NAME = "loss"
    METRIC = "loss"
    RANK = 10
