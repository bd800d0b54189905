"""What a stretch of steps gave."""

from __future__ import annotations

from typing import NamedTuple

from core.events import Metrics, from_number


class Window(NamedTuple):
    """Means over the steps since the last window."""

    steps: int
    images: int
    seconds: float
    loss: float
    accuracy: float
    learning_rate: float
    gradient_norm: float | None = None
    """Of the first step's gradients, before they are clipped; None where that step was skipped."""
    skipped: float = 0.0
    """Share of the steps that changed nothing, since their gradients were beyond float16."""
    finite: bool = True
    """Whether every weight and all of the optimizer's state is a finite number."""

    def metrics(self, told_skipped: bool) -> Metrics:
        """As StepDone has them; skipped steps only where there may be any."""
        metrics: Metrics = {
            "train.loss": from_number(self.loss),
            "train.accuracy": self.accuracy,
            "train.learning_rate": self.learning_rate,
            "system.images_per_second": self.images / self.seconds,
        }
        if self.gradient_norm is not None:
            metrics["train.gradient_norm"] = from_number(self.gradient_norm)
        if told_skipped:
            metrics["train.skipped_steps"] = self.skipped
        return metrics
