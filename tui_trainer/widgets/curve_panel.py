"""Panels that are line plots: one metric in training, and on the split that is measured every epoch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.events import PREFIX
from core.view.readings import smooth
from core.view.state import Point, Series, State
from tui_trainer.theme import Palette
from tui_trainer.widgets import plot
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.panel import Panel, Slot

SMOOTHING = 0.8
"""Weight of the past in the smoothed training curve."""


class Curves(NamedTuple):
    """What such a panel reads."""

    train: Series
    held_out: Series
    split: str
    """Empty where none is measured before the end."""
    steps_per_epoch: int
    marks: tuple[int, ...]
    step: int


class CurvePanel(Panel[Curves]):
    """``METRIC`` is plotted as ``train.METRIC`` (raw dim, smoothed over it) and ``val.METRIC`` or ``test.METRIC``."""

    SLOT: ClassVar[Slot] = "curves"
    PERIOD = 0.5
    METRIC: ClassVar[str]
    FACTOR: ClassVar[float] = 1.0
    """Values are shown times this."""

    def reads(self, state: State, now: float) -> Curves:
        prefix = PREFIX[state.split]
        return Curves(
            state.series.get(f"train.{self.METRIC}", Series()),
            state.series.get(f"{prefix}.{self.METRIC}", Series()),
            "" if state.unwatched else state.split,
            state.steps_per_epoch,
            tuple(mark.step for mark in state.marks if mark.kind != "saved"),
            state.step,
        )

    def draw(self, reads: Curves, size: Size, colours: Palette) -> Sequence[Text]:
        raw = self._scaled(reads.train.points())
        curves = (
            plot.Curve(colours.train_raw, raw, band=True),
            plot.Curve(
                colours.train, self._scaled(Point(step, *[value] * 3) for step, value in smooth(reads.train, SMOOTHING))
            ),
            plot.Curve(colours.held_out, self._scaled(reads.held_out.points()), dots=True),
        )
        diverged = [at for at in (reads.train.diverged_at, reads.held_out.diverged_at) if at is not None]
        chart = plot.Chart(curves, reads.steps_per_epoch, min(diverged, default=None), reads.marks, reads.step)
        return plot.draw(chart, size.width, size.height, colours, glyphs())

    def title(self, reads: Curves, colours: Palette) -> Text:
        title = Text(self.NAME)
        title.append(f"  train {self.written(reads.train.last)}", colours.train)
        if reads.split:
            name = "TEST" if reads.split == "test" else "val"
            title.append(f"  {name} {self.written(reads.held_out.last)}", colours.held_out)
        return title

    def written(self, value: float | None) -> str:
        """The legend's number."""
        return short(value)

    def _scaled(self, points: Iterable[Point]) -> tuple[Point, ...]:
        factor = self.FACTOR
        return tuple(Point(step, low * factor, mean * factor, high * factor) for step, low, mean, high in points)
