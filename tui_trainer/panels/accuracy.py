from __future__ import annotations

from tui_trainer.widgets.curve_panel import CurvePanel


class Accuracy(CurvePanel):
    """Share of images classified right over steps, in per cent."""

    NAME = "accuracy %"
    METRIC = "accuracy"
    RANK = 20
    FACTOR = 100.0

    def written(self, value: float | None) -> str:
        return "-" if value is None else f"{value * 100:.1f}"
