"""The learning rate as it was and as it is planned, and what a change that is not sent yet would make of the plan."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from core.view.plan import Plan
from core.view.points import Points
from core.view.series import Point
from core.view.words import count
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets.chart import Chart, canvas
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.flags import Flag, Kind
from tui_trainer.widgets.framed import framed
from tui_trainer.widgets.glyphs import cut, glyphs


class PlanChart(Widget):
    """A line of words over a plot; ``plan`` is what is drawn beside the plan as it stands."""

    DEFAULT_CSS = "PlanChart { height: 9; }"

    plan: reactive[Plan | None] = reactive(None)

    def __init__(self, past: tuple[Point, ...], now: Plan) -> None:
        super().__init__()
        self._past, self._now = past, now
        self.set_reactive(PlanChart.plan, now)

    def render_lines(self, crop: Region) -> list[Strip]:
        colours, plan, width = palette(self.app.theme_variables), self.plan or self._now, self.size.width
        words = cut(self._words(plan, colours), width)
        words.end = ""
        lines = [Strip(words.render(self.app.console)), *self._plot(plan, colours)]
        shown = [line.apply_style(self.rich_style).adjust_cell_length(width, self.rich_style) for line in lines]
        return [line.crop(crop.x, crop.right) for line in shown[crop.y : crop.bottom]]

    def _words(self, plan: Plan, colours: Palette) -> Text:
        left = count(max(plan.epochs - plan.validated, 0), "epoch")
        end = plan.rate_at(max(plan.last - 1, plan.step))
        return Text(f"now {plan.rate:.3g}, at the end {end:.3g}, {left} to go", colours.rate)

    def _plot(self, plan: Plan, colours: Palette) -> list[Strip]:
        changed, marks = plan != self._now, glyphs()
        curves = (
            Curve(colours.train_raw, _points(self._past)),
            Curve(colours.muted if changed else colours.rate, _points(self._now.rates())),
            *([Curve(colours.rate, _points(plan.rates()))] if changed else []),
        )
        end = max(plan.last, self._now.last, 1)
        chart = Chart(curves, 0.0, end, steps_per_epoch=plan.steps_per_epoch, flags=(Flag(plan.step, Kind.SETTING),))
        width, height = self.size.width, max(0, self.size.height - 1)
        drawn = canvas(chart, width, height, marks, marks.markers[0])
        return [row.strip() for row in framed(chart, drawn, width, height, colours, marks)]


def _points(points: Iterable[Point]) -> Points:
    found = list(points)
    return Points.raw([point.step for point in found], [point.mean for point in found])
