from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view.state import Series, State
from tui_trainer.theme import Palette
from tui_trainer.widgets import plot
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.panel import Panel


class Rate(NamedTuple):
    series: Series
    steps_per_epoch: int
    marks: tuple[int, ...]
    step: int


class LearningRate(Panel[Rate]):
    """The optimizer's learning rate over steps, live changes marked."""

    NAME = "learning rate"
    SLOT = "curves"
    RANK = 30
    EXTRA = True
    PERIOD = 0.5

    def reads(self, state: State, now: float) -> Rate:
        changes = tuple(mark.step for mark in state.marks if mark.kind == "setting")
        return Rate(state.series.get("train.learning_rate", Series()), state.steps_per_epoch, changes, state.step)

    def draw(self, reads: Rate, size: Size, colours: Palette) -> Sequence[Text]:
        curve = plot.Curve(colours.rate, tuple(reads.series.points()))
        chart = plot.Chart((curve,), reads.steps_per_epoch, marks=reads.marks, end=reads.step)
        return plot.draw(chart, size.width, size.height, colours, glyphs())

    def title(self, reads: Rate, colours: Palette) -> Text:
        last = reads.series.last
        return Text.assemble(self.NAME, ("" if last is None else f"  {last:.3g}", colours.rate))
